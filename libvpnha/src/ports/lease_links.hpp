// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the way of the lease's datagrams to the other nodes. They may be lost, or come twice.
#pragma once

#include "lease/messages.hpp"

namespace vpnha::ports {

class LeaseLinks {
  public:
    virtual ~LeaseLinks() = default;

    virtual void send(GatewayId gateway, NodeId to, const lease::Message& message) = 0;
};

}  // namespace vpnha::ports
