// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway needs of a node's kernel, devices and limits, and what a machine misses.
//
// Example:
//     bool is_tuned(const std::string& config_file) {
//         const auto check = vpnha::check_tuning(config_file);
//         return check && check->findings.empty();
//     }
#pragma once

#include <string>
#include <vector>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

struct TuningRow {
    std::string name;      // "net.ipv4.ip_forward"
    std::string wanted;    // "1", "at least 128"
    bool is_must = false;  // Sessions break without it; otherwise it is advice.
    std::string how;       // How to set it: a command in backquotes, or who sets it already.
    std::string why;
};
[[nodiscard]] VPNHA_API std::vector<TuningRow> tuning_table();

// The rows of the table that sysctl sets, as a file for /etc/sysctl.d.
[[nodiscard]] VPNHA_API std::string tuning_sysctls();

// The table of docs/operate/tuning.md.
[[nodiscard]] VPNHA_API std::string tuning_manual();

struct TuningFinding {
    bool is_error = false;  // A must.
    std::string text;       // What it is, what to set instead, and why.
};
struct TuningCheck {
    std::vector<TuningFinding> findings{};
    std::vector<std::string> unread{};  // What could not be checked.
};

// The rows that the configuration needs and this machine does not meet, in the calling thread's
// network namespace. check_conntrack() checks net.netfilter.nf_conntrack_{events,max,buckets}.
// Without root: the same. Errors are the configuration's.
[[nodiscard]] VPNHA_API Result<TuningCheck> check_tuning(const std::string& config_file);

}  // namespace vpnha
