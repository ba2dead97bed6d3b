// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad as a function: joins the cluster's group and serves agents, plugins and the CLI until it
// receives an order to end.
//
// Example:
//     int main() {
//         const auto end = vpnha::run_daemon({.config_file = "/etc/vpnha/vpnha.toml"});
//         return vpnha::exit_code(end);
//     }
#pragma once

#include <string>
#include <vector>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

// What keep-vpnhad, which restarts a vpnhad that has died, passes to the next one.
struct Restart {
    unsigned count = 0;       // How often vpnhad was restarted; 0: this is the first one.
    std::string death{};      // How the previous one ended: "signal 11".
    bool votes_only = false;  // Several died in succession: take part in no gateway.
};

struct DaemonOptions {
    std::string config_file = "/etc/vpnha/vpnha.toml";
    std::string log_file{};  // Empty: stderr.
    Restart restart{};
    // systemd ends stock daemons and starts them anew, outside of vpnhad's unit.
    bool services_by_systemd = false;
    // The log goes to systemd's journal as well.
    bool journal = false;
};

struct DaemonEnd {
    Result<void> result;    // An error: why it did not start, or why it ended.
    bool is_death = false;  // It ran, and failed by itself: start it again.
};

// Returns when the last gateway was detached or on SIGTERM. Returns an error if it cannot start
// (another vpnhad, no corosync, invalid configuration), lost corosync, was fenced, or could not
// continue. One thread; blocks.
[[nodiscard]] VPNHA_API DaemonEnd run_daemon(const DaemonOptions& options);

// Of vpnhad: 0 ended by an order, 1 died, 3 a restart is useless before an administrator acts.
[[nodiscard]] VPNHA_API int exit_code(const DaemonEnd& end);

// Reads and checks the configuration only; the error has a line for each error of the file.
[[nodiscard]] VPNHA_API Result<void> check_config(const std::string& config_file);

// Whether this kernel has what the gate needs: tries it in a separate network namespace. Error
// unsupported names what is missing; permission: this process has no access.
[[nodiscard]] VPNHA_API Result<void> check_kernel();

// Whether chrony, as configured, keeps this machine's clock within the rate that the lease allows
// for. The finding, for a human; empty without chrony. Error invalid_config names the line of
// chrony's configuration and what to set there. Error permission: this process may not read it.
[[nodiscard]] VPNHA_API Result<std::string> check_clock(const std::string& config_file);

struct ClusterLinksCheck {
    bool is_warning = false;
    std::string text;  // What was found, for a human; of a warning what to set instead, and why.
};

// Whether the running cluster survives the loss of one of several links between the nodes. Error
// unreachable: corosync does not run here, or does not answer this process.
[[nodiscard]] VPNHA_API Result<ClusterLinksCheck> check_cluster_links();

struct VotersCheck {
    bool is_error = false;  // vpnhad does not start with these nodes.
    bool is_warning = false;
    std::string text;  // What was found, for a human; of an error or a warning also what to do.
};

// Whether all nodes of the running cluster, and that configuration's witness, can vote on the
// leases, and what follows from the loss of one. Errors: those of the file; unreachable: corosync
// does not run here, or does not answer this process.
[[nodiscard]] VPNHA_API Result<VotersCheck> check_voters(const std::string& config_file);

struct ConstraintFinding {
    bool is_intended = false;  // An exclusion that no move has left: no fault.
    std::string id{};          // Of the constraint, in the CIB.
    std::string text{};        // What it does to which gateway, and how to remove it.
};

// Pacemaker's constraints that override the promotion scores of the gateways, from this node's CIB.
// Waits for cibadmin(8) for 2 s at most. Errors: Pacemaker does not run here, or this process is
// neither root nor in group haclient.
[[nodiscard]] VPNHA_API Result<std::vector<ConstraintFinding>> check_constraints();

// Whether fencing fits the cluster's nodes and the witness of
// that configuration, by this node's CIB. Each finding has what to
// do. Errors: as of check_constraints(), and the configuration's.
[[nodiscard]] VPNHA_API Result<std::vector<std::string>> check_fencing(
    const std::string& config_file);

// What AppArmor has denied to vpnhad and the stock daemons within a day, each with the rule to
// write. Waits for journalctl(1) for 5 s at most. Error permission: only root has access; others:
// there is no journal.
[[nodiscard]] VPNHA_API Result<std::vector<std::string>> check_denials(
    const std::string& config_file);

struct ConntrackFinding {
    bool is_error = false;
    std::string text;  // What it is, what to set instead, and why.
};
struct ConntrackCheck {
    bool replicated = false;  // A gateway of the configuration replicates flows.
    std::vector<ConntrackFinding> findings{};
};

// Whether this machine's connection tracking is set for the replication of flows, if the
// configuration enables it. Without root the values that need it are left out. Errors are the
// configuration's.
[[nodiscard]] VPNHA_API Result<ConntrackCheck> check_conntrack(const std::string& config_file);

struct DeviceFinding {
    bool is_error = false;  // vpnhad does not start, or ends, because of it.
    std::string text;       // What it is, what vpnhad does about it, and what to do.
};

// Devices of this machine that cannot have the gate, ports of bridges and bonds among them. Error
// permission: only root has access; others are the configuration's.
[[nodiscard]] VPNHA_API Result<std::vector<DeviceFinding>> check_devices(
    const std::string& config_file);

// The gateways' routing tables and rule preferences that others use on this machine, each with what
// to do. Errors are the configuration's, or the kernel's.
[[nodiscard]] VPNHA_API Result<std::vector<std::string>> check_routing(
    const std::string& config_file);

// The nodes of the running cluster that would assign the same call ids of PPTP, by name, each with
// what to do. Empty without a gateway of PPTP. Errors are the configuration's; unreachable:
// corosync does not run here, or does not answer this process.
[[nodiscard]] VPNHA_API Result<std::vector<std::string>> check_call_ids(
    const std::string& config_file);

struct DaemonsCheck {
    std::vector<std::string> wrong{};   // Why vpnhad replicates no session, a sentence each.
    std::vector<std::string> unread{};  // Files that are missing, or not readable here.
};

// Whether vpnhad gets the sessions of xl2tpd and pptpd as configured: pppd has the plugin, and the
// daemons listen on the configured addresses. Whether the files of WireGuard can be read. Errors
// are the configuration's.
[[nodiscard]] VPNHA_API Result<DaemonsCheck> check_daemons(const std::string& config_file);

struct RadiusCheck {
    std::vector<std::string> warnings{};  // Servers that an attacker can impersonate, and why.
    std::vector<std::string> unread{};    // Files that are missing, or not readable here.
};

// Whether pppd's radius.so reaches its servers on protected paths: by a link of the cluster, or by
// IPsec. Empty without radius.so. Errors are the configuration's; permission, unreachable or
// system: the check failed on this node, or for this process.
[[nodiscard]] VPNHA_API Result<RadiusCheck> check_radius(const std::string& config_file);

// A program of this node that is older than the least version of docs/operate/versions.md.
struct OldProgram {
    std::string program{};
    std::string package{};
    std::string installed{};
    std::string least{};
    std::string why{};
};

// Asks dpkg, in some 50 ms. Error: dpkg is missing, or does not answer in time.
[[nodiscard]] VPNHA_API Result<std::vector<OldProgram>> check_versions();

// What of charon's connections (swanctl.conf) does not fit a gateway with IPsec, each in a
// sentence.
struct ConnectionsCheck {
    // SAs would not survive a takeover, or not safely; or swanctl does not load the file.
    std::vector<std::string> refused;
    std::vector<std::string> warnings;  // SAs would suffer from a takeover.
};
// Empty without such a gateway. Errors are those of the configuration.
[[nodiscard]] VPNHA_API Result<ConnectionsCheck> check_connections(const std::string& config_file);

}  // namespace vpnha
