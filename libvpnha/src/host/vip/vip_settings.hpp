// SPDX-License-Identifier: GPL-2.0-or-later
// The parameters of ocf:vpnha:vip, and what follows from them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

inline constexpr const char* kVipRulePreference = "10000";
// A station of a wired network answers within a few milliseconds; RFC 5227's seconds are for hosts
// for which nobody waits.
inline constexpr const char* kVipProbeMs = "50";

// As an administrator writes them; empty is "not set".
struct VipParameters {
    std::string addresses;
    std::string interface;
    std::string vlan;
    std::string table;
    std::string rule_mark;
    std::string rule_preference = kVipRulePreference;
    std::string default_via;
    std::string rp_filter = "keep";
    std::string probe_ms = kVipProbeMs;
    friend bool operator==(const VipParameters&, const VipParameters&) = default;
};

struct VipSettings {
    std::vector<IpPrefix> addresses;
    std::string interface;    // The device with the addresses.
    std::string parent;       // Of a VLAN device; else empty.
    std::uint16_t vlan = 0;   // 0: the interface is none of ours.
    std::uint32_t table = 0;  // 0: no rules, no routes.
    std::uint32_t rule_preference = 0;
    std::optional<std::uint32_t> rule_mark;
    std::vector<IpAddress> default_via;  // At most one of each family.
    std::optional<char> rp_filter;       // As in the kernel's setting: '1' strict, '2' loose.
    std::chrono::milliseconds probe{};   // 0: no neighbour is queried.

    // By the source address, or by the mark: then one for each family in use.
    [[nodiscard]] std::vector<PolicyRule> rules() const;
    // With `default_via`: the default route, and the networks of the addresses, which must not use
    // it. Otherwise none: the table's routes are the administrator's.
    [[nodiscard]] std::vector<TableRoute> routes() const;
    [[nodiscard]] bool uses(bool is_v6) const;
};

// Error invalid_config, with the name of the parameter: wrong on every node.
[[nodiscard]] Result<VipSettings> parse_vip_parameters(const VipParameters& parameters);

// One "name=value" a line, for the file that a stop reads.
[[nodiscard]] std::string to_text(const VipParameters& parameters);
[[nodiscard]] VipParameters read_vip_parameters(const std::string& text);

}  // namespace vpnha::adapters
