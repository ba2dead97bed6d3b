// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/config_check.hpp"

#include <unistd.h>

#include <ostream>

#include "cli/table.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::cli {

namespace {

ExitCode check_connection_tracking(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<ConntrackCheck> check = check_conntrack(path);
    if (!check) {
        return report(check.error(), err);
    }
    ExitCode code = ExitCode::ok;
    for (const ConntrackFinding& finding : check->findings) {
        if (finding.is_error) {
            code = report({Errc::unsupported, "connection tracking: " + finding.text}, err);
        } else {
            out << "connection tracking: " << printable(finding.text) << "\n";
        }
    }
    if (check->replicated && check->findings.empty()) {
        out << "connection tracking: set for the replication of flows\n";
    }
    return code;
}

// Where corosync does not run yet there is nothing to look at, and nothing wrong.
void check_links(std::ostream& out) {
    const Result<ClusterLinksCheck> links = check_cluster_links();
    out << "cluster links: ";
    if (!links) {
        out << "not looked at: " << printable(links.error().detail) << "\n";
        return;
    }
    out << (links->is_warning ? "warning: " : "") << printable(links->text) << "\n";
}

}  // namespace

ExitCode check_config(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<std::string> text = effective_configuration(path);
    if (!text) {
        return report(text.error(), err);
    }
    out << path << ": good\n";
    const Result<void> kernel = check_kernel();
    // Who may not look has not found anything; root that may not is what vpnhad would be, too.
    if (!kernel && (kernel.error().code != Errc::permission || ::geteuid() == 0)) {
        return report(kernel.error(), err);
    }
    out << "kernel: " << (kernel ? "has what the gate needs" : kernel.error().detail) << "\n";
    const Result<std::string> clock = check_clock();
    if (!clock && clock.error().code != Errc::permission) {
        return report(clock.error(), err);
    }
    const std::string found = clock ? *clock : clock.error().detail;
    if (!found.empty()) {
        out << "clock: " << printable(found) << "\n";
    }
    check_links(out);
    for (const std::string& note : configuration_notes(path).value_or(std::vector<std::string>{})) {
        out << printable(note) << "\n";
    }
    for (const std::string& what : check_connections(path).value_or(std::vector<std::string>{})) {
        out << "ipsec: warning: " << printable(what) << "\n";
    }
    return check_connection_tracking(path, out, err);
}

}  // namespace vpnha::cli
