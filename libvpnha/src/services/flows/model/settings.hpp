// SPDX-License-Identifier: GPL-2.0-or-later
// The settings of this machine's connection tracking that prevent the replication of flows. Pure:
// values in, findings out; services/flows/backend/conntrack_settings.hpp reads the values.
//
// Left out, because they change nothing here: nf_conntrack_tcp_be_liberal (each replicated flow is
// liberal by itself) and nf_conntrack_tcp_loose (a flow in the table is not picked up); timeouts (a
// standby's flow has its own, and after a takeover the protocol's); nf_conntrack_helper (gone since
// Linux 6.0, and off before).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vpnha::conntrack {

// The least number of flows and of buckets for a node: the kernel's own default from 4 GB of memory
// on.
inline constexpr std::uint64_t kFlowsMin = 262'144;

struct Settings {
    enum class Ctnetlink : std::uint8_t {
        there,
        missing,
        unknown,  // Only root can find out.
    };
    Ctnetlink ctnetlink = Ctnetlink::unknown;
    // net.netfilter.nf_conntrack_*; nullopt: there is no such setting.
    std::optional<std::uint32_t> events;
    std::optional<std::uint32_t> max;  // 0: no bound.
    std::optional<std::uint32_t> buckets;
    std::optional<std::uint32_t> count;      // Flows now.
    std::optional<std::int64_t> conntrackd;  // The pid of one.
    // Loaded modules, without those that are built into the kernel.
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
