// SPDX-License-Identifier: GPL-2.0-or-later
// Port: what a promotion changes in this node's IP configuration.
#pragma once

#include <string>

#include "base/ids.hpp"

namespace vpnha::ports {

class Network {
  public:
    virtual ~Network() = default;

    // The VIPs of both sides, the policy rules of the gateway's route table, and what makes answers
    // leave by the link of their side. Repeating either is a success; removal also succeeds when a
    // device is gone.
    virtual Result<void> add_addresses(GatewayId gateway) = 0;
    virtual Result<void> remove_addresses(GatewayId gateway) = 0;
    // What add_addresses() adds and is not there now, in words; empty: nothing. What belongs on a
    // device that is gone does not count.
    [[nodiscard]] virtual Result<std::string> missing(GatewayId gateway) = 0;
    // Neighbours of both sides for whom the kernel waits, or has waited in vain: it asks them anew.
    virtual Result<void> forget_unresolved(GatewayId gateway) = 0;
    // One gratuitous ARP request and reply, or one unsolicited neighbour advertisement, per VIP on
    // its own side.
    virtual Result<void> announce(GatewayId gateway) = 0;
};

}  // namespace vpnha::ports
