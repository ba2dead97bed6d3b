// SPDX-License-Identifier: GPL-2.0-or-later
// Prefixes that a routing daemon of this node (FRR) announces while the gateway is served here.
// They are addresses of a device, and the daemon announces connected networks. Each has a lifetime:
// the kernel removes it kLent after the last turn, even if this process hangs or dies. The device
// is in a VRF (docs/adr/0013), so no program on the node uses the addresses.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

class AnnouncedPrefixes {
  public:
    // Longer than a busy node keeps a process waiting. The kernel counts whole seconds.
    static constexpr std::chrono::seconds kLent{2};
    static constexpr std::chrono::milliseconds kRenewal{500};

    AnnouncedPrefixes(RouteNetlink route, std::string interface, std::vector<IpPrefix> prefixes)
        : route_(std::move(route)),
          interface_(std::move(interface)),
          prefixes_(std::move(prefixes)) {}

    // Error invalid_argument: the device is missing, or in no VRF.
    [[nodiscard]] static Result<void> check(RouteNetlink& route, const std::string& interface);

    // Called as often as the gate is checked. An error is tried again at the next turn.
    Result<void> turn(bool is_served, TimePoint now);
    // Without a device there is nothing to remove.
    Result<void> withdraw();

  private:
    Result<void> lend();

    RouteNetlink route_;
    std::string interface_;
    std::vector<IpPrefix> prefixes_;
    bool may_be_there_ = true;  // Left by an earlier process.
    TimePoint renew_at_{};
};

}  // namespace vpnha::adapters
