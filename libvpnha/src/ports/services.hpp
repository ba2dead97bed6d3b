// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the stock daemons of a gateway on this node (xl2tpd and its pppds).
#pragma once

#include <functional>

#include "base/ids.hpp"

namespace vpnha::ports {

class Services {
  public:
    virtual ~Services() = default;

    // Ends this node's own stock sessions of the gateway without notice to the clients and leaves
    // its daemons idle again. To be called with the gate shut. Holds the services' lock, so that a
    // monitor of Pacemaker waits and does not find a daemon missing. It may last: `done` is called
    // at its end, unless there is an error at once. One at a time per gateway.
    using Done = std::function<void(const Result<void>&)>;
    virtual Result<void> reset(GatewayId gateway, Done done) = 0;
    // The same, but the daemons are not started again. Returns when they have ended.
    virtual Result<void> end(GatewayId gateway) = 0;
    // Until the next reset() the owner of this port is notified of the death of a daemon.
    virtual void watch(GatewayId gateway) = 0;
};

}  // namespace vpnha::ports
