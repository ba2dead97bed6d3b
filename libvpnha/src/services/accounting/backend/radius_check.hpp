// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an attacker can be on the path to the servers of pppd's radius.so. It sends no
// Message-Authenticator: a reject can be turned into an accept on the path (CVE-2024-3596).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "config/config.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// The paths on which nobody else can read or write.
class GuardedWays {
  public:
    // `addresses`: as `ip -o addr` prints them. `ring`: this node's addresses on the cluster's
    // links. `policies`: as `ip xfrm policy list dir out` prints them.
    GuardedWays(std::string_view addresses, const std::vector<std::string>& ring,
                std::string_view policies);

    // Loopback, a net of the cluster's links, or a path that ESP protects to that UDP port.
    [[nodiscard]] bool lead_to(const IpAddress& server, std::uint16_t port) const;

  private:
    struct Policy {
        IpPrefix destination;
        std::string protocol{};  // Empty: any.
        std::uint16_t port = 0;  // 0: any.
        bool is_esp = false;
    };

    std::vector<IpPrefix> nets_;
    std::vector<Policy> policies_;
};

// For each gateway whose pppds have radius.so. The options below `ppp` count as well.
[[nodiscard]] RadiusCheck find_in_radius(const config::Config& config, const GuardedWays& ways,
                                         const std::string& ppp = "/etc/ppp");

// As they are on this node. Errors: corosync does not run, or this process may not read them.
[[nodiscard]] Result<GuardedWays> read_guarded_ways();
// Whether a pppd of a gateway has radius.so at all.
[[nodiscard]] bool uses_radius(const config::Config& config, const std::string& ppp = "/etc/ppp");

}  // namespace vpnha::runtime
