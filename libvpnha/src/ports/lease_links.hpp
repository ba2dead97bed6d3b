// SPDX-License-Identifier: GPL-2.0-or-later
// Port: carries the lease's datagrams to the other nodes. They may be lost or duplicated.
#pragma once

#include <vector>

#include "cluster/lease/messages.hpp"

namespace vpnha::ports {

class LeaseLinks {
  public:
    virtual ~LeaseLinks() = default;

    virtual void send(GatewayId gateway, NodeId to, const lease::Message& message) = 0;
    // Sends an ICMP echo request to the node, on every link. Answers go to the callback of open().
    virtual void ask_for_echo(NodeId node) = 0;
    // The nodes of all lists of voters, of all gateways, current and next; ascending. A change of a
    // list needs a majority of the old one. So datagrams are exchanged with a node outside of
    // Corosync's list until no list of voters has it.
    virtual void set_voters(const std::vector<NodeId>& voters) = 0;
};

}  // namespace vpnha::ports
