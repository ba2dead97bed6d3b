// SPDX-License-Identifier: GPL-2.0-or-later
// Whether somebody can stand between this node and the servers that pppd's radius.so asks. It sends
// no Message-Authenticator: a reject can be turned into an accept on the way (CVE-2024-3596).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "config/config.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// The ways on which nobody else reads or writes.
class GuardedWays {
  public:
    // `addresses`: as `ip -o addr` prints them. `ring`: this node's addresses on the cluster's
    // links. `policies`: as `ip xfrm policy list dir out` prints them.
    GuardedWays(std::string_view addresses, const std::vector<std::string>& ring,
                std::string_view policies);

    // Loopback, a net of the cluster's links, or what ESP protects on its way to that UDP port.
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

// Of each gateway whose pppds have radius.so. The options below `ppp` count as well.
[[nodiscard]] RadiusCheck find_in_radius(const config::Config& config, const GuardedWays& ways,
                                         const std::string& ppp = "/etc/ppp");

// As they are on this node. Errors: corosync does not run, or this process may not look.
[[nodiscard]] Result<GuardedWays> read_guarded_ways();
// Whether a pppd of a gateway has radius.so at all.
[[nodiscard]] bool uses_radius(const config::Config& config, const std::string& ppp = "/etc/ppp");

}  // namespace vpnha::runtime
