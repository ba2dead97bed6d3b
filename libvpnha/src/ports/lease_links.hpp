// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the way of the lease's datagrams to the other nodes. They may be lost, or come twice.
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
    // list takes a majority of the old one, so a node that Corosync lists no more is sent to and
    // heard until no list has it.
    virtual void set_voters(const std::vector<NodeId>& voters) = 0;
};

}  // namespace vpnha::ports
