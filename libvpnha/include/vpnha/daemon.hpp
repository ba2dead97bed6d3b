// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad as a function: joins the cluster's group and serves agents, plugins and the CLI until it
// is told to end.
//
// Example:
//     int main() {
//         const auto ended = vpnha::run_daemon({.config_file = "/etc/vpnha/vpnha.toml"});
//         return ended ? 0 : 1;
//     }
#pragma once

#include <string>
#include <vector>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

struct DaemonOptions {
    std::string config_file = "/etc/vpnha/vpnha.toml";
    std::string log_file{};  // Empty: stderr.
};

// Returns when the last gateway was detached or on SIGTERM; an error when it cannot start (second
// start, no corosync, invalid configuration) or lost corosync. One thread; blocks.
[[nodiscard]] VPNHA_API Result<void> run_daemon(const DaemonOptions& options);

// Reads and checks the configuration only.
[[nodiscard]] VPNHA_API Result<void> check_config(const std::string& config_file);

// Whether this kernel has what the gate needs: tries it in a network namespace of its own. Error
// unsupported says what is missing, permission that this process may not look.
[[nodiscard]] VPNHA_API Result<void> check_kernel();

// Whether chrony, as configured, keeps this machine's clock within the rate that the lease allows
// for. What was found, for a human; empty without chrony. Error invalid_config names the line of
// chrony's configuration and what to set there, permission that this process may not read it.
[[nodiscard]] VPNHA_API Result<std::string> check_clock();

struct ConntrackFinding {
    bool is_error = false;
    std::string text;  // What it is, what to set instead, and why.
};
struct ConntrackCheck {
    bool replicated = false;  // A gateway of the configuration replicates flows.
    std::vector<ConntrackFinding> findings{};
};

// Whether this machine's connection tracking is set for the replication of flows, when the
// configuration wants it. Not root: what only root can look at is left out. Errors are the
// configuration's.
[[nodiscard]] VPNHA_API Result<ConntrackCheck> check_conntrack(const std::string& config_file);

}  // namespace vpnha
