// SPDX-License-Identifier: GPL-2.0-or-later
// Port: what a promotion changes in this node's IP configuration.
#pragma once

#include <string>

#include "base/ids.hpp"

namespace vpnha::ports {

class Network {
  public:
    virtual ~Network() = default;

    // The VIPs of both sides, the policy rules of the gateway's route table, and the routes that
    // send answers by the link of their side. Repeating either is a success; removal also succeeds
    // if a device is gone.
    virtual Result<void> add_addresses(GatewayId gateway) = 0;
    virtual Result<void> remove_addresses(GatewayId gateway) = 0;
    // The parts of add_addresses() that are missing now, as text; empty: none. Parts on a device
    // that is gone do not count.
    [[nodiscard]] virtual Result<std::string> missing(GatewayId gateway) = 0;
    // The kernel asks anew for neighbours of both sides that it waits for, or has not found.
    virtual Result<void> forget_unresolved(GatewayId gateway) = 0;
    // One gratuitous ARP request and reply, or one unsolicited neighbour advertisement, per VIP on
    // its own side.
    virtual Result<void> announce(GatewayId gateway) = 0;
};

}  // namespace vpnha::ports
