// SPDX-License-Identifier: GPL-2.0-or-later
// What of this machine's connection tracking stands in the way of replicating flows. Pure: values
// in, findings out; services/flows/backend/conntrack_settings.hpp reads the values.
//
// Left out, for they change nothing here: nf_conntrack_tcp_be_liberal (each replicated flow is
// liberal by itself) and nf_conntrack_tcp_loose (a flow that is in the table is not picked up);
// timeouts (a standby's flow has one of its own, and after a takeover the whole of the protocol's);
// nf_conntrack_helper (gone since Linux 6.0, and off before).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vpnha::conntrack {

// Room for flows that a node has at least, and buckets for as many: the kernel's own default from
// 4 GB of memory on.
inline constexpr std::uint64_t kFlowsMin = 262'144;

struct Settings {
    enum class Ctnetlink : std::uint8_t {
        there,
        missing,
        unknown,  // Only root can ask for it.
    };
    Ctnetlink ctnetlink = Ctnetlink::unknown;
    // net.netfilter.nf_conntrack_*; nullopt: there is no such setting.
    std::optional<std::uint32_t> events;
    std::optional<std::uint32_t> max;  // 0: no bound.
    std::optional<std::uint32_t> buckets;
    std::optional<std::uint32_t> count;      // Flows now.
    std::optional<std::int64_t> conntrackd;  // The pid of one.
    // That are loaded; what is built into the kernel is not among them.
    std::set<std::string> modules;
};

struct Finding {
    enum class Severity : std::uint8_t { warning, error };
    Severity severity = Severity::warning;
    std::string what;
    std::string now;
    std::string remedy;
    std::string why;
};

[[nodiscard]] std::vector<Finding> check(const Settings& settings);
// "WHAT is NOW; REMEDY: WHY"
[[nodiscard]] std::string to_string(const Finding& finding);

}  // namespace vpnha::conntrack
