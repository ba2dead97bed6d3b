// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/port_guard.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/netlink/nftables.hpp"

namespace vpnha::adapters {

namespace {

// Before all other chains of these hooks.
constexpr int kPriority = -500;

std::string without_table(const PortGuard& guard) {
    return without_nft_table("inet", guard.table);
}

std::string rule(const PortGuard& guard, bool in, bool is_v6) {
    std::vector<std::string> vips;
    for (const IpPrefix& vip : guard.vips) {
        if (vip.address.is_v4() != is_v6) {
            vips.push_back(to_string(vip.address));
        }
    }
    std::string others;
    if (!vips.empty()) {
        others = fmt::format("{} {} != {{ {} }} ", is_v6 ? "ip6" : "ip", in ? "daddr" : "saddr",
                             fmt::join(vips, ", "));
    }
    return fmt::format("meta nfproto {} udp {} {} {}counter drop\n", is_v6 ? "ipv6" : "ipv4",
                       in ? "dport" : "sport", guard.port, others);
}

std::string chain(const PortGuard& guard, bool in) {
    return fmt::format(
        "chain {0} {{\n"
        "type filter hook {0} priority {1}; policy accept;\n"
        "{2}{3}}}\n",
        in ? "input" : "output", kPriority, rule(guard, in, false), rule(guard, in, true));
}

}  // namespace

std::string guard_ruleset(const PortGuard& guard) {
    return without_table(guard) + fmt::format("table inet {} {{\n{}{}}}\n", guard.table,
                                              chain(guard, true), chain(guard, false));
}

Result<void> guard_port(const PortGuard& guard) {
    return run_nftables(guard_ruleset(guard));
}

Result<void> keep_port_guarded(const PortGuard& guard) {
    VPNHA_TRY(const bool is_there, has_nft_table(guard.table));
    return is_there ? Result<void>() : guard_port(guard);
}

Result<void> leave_port_alone(const PortGuard& guard) {
    return run_nftables(without_table(guard));
}

}  // namespace vpnha::adapters
