// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "cli/ask.hpp"
#include "cli/cluster_check.hpp"
#include "cli/looks/planes.hpp"
#include "cli/looks/qdiscs.hpp"
#include "cli/looks/sizes.hpp"
#include "cli/old_programs.hpp"
#include "cli/table.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/control.hpp"
#include "vpnha/daemon.hpp"
#include "vpnha/tuning.hpp"

namespace vpnha::cli {

namespace {

ExitCode say_tuning(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<TuningCheck> check = check_tuning(path);
    if (!check) {
        return report(check.error(), err);
    }
    ExitCode code = ExitCode::ok;
    for (const TuningFinding& finding : check->findings) {
        if (finding.is_error) {
            code = report({Errc::unsupported, "tuning: " + finding.text}, err);
        } else {
            out << "tuning: advice: " << printable(finding.text) << "\n";
        }
    }
    if (!check->unread.empty()) {
        out << "tuning: not looked at: "
            << printable(fmt::format("{}", fmt::join(check->unread, "; "))) << "\n";
    }
    if (check->findings.empty()) {
        out << (check->unread.empty() ? "tuning: as wanted\n" : "tuning: all else is as wanted\n");
    }
    return code;
}

ExitCode say_connection_tracking(const Result<ConntrackCheck>& check, std::ostream& out,
                                 std::ostream& err) {
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

// Before vpnhad needs the gate there.
ExitCode say_devices(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<std::vector<DeviceFinding>> findings = check_devices(path);
    if (!findings) {
        if (findings.error().code != Errc::permission) {
            return report(findings.error(), err);
        }
        out << "devices: not looked at: " << printable(findings.error().detail) << "\n";
        return ExitCode::ok;
    }
    ExitCode code = ExitCode::ok;
    for (const DeviceFinding& finding : *findings) {
        if (finding.is_error) {
            code = report({Errc::unsupported, "devices: " + finding.text}, err);
        } else {
            out << "devices: warning: " << printable(finding.text) << "\n";
        }
    }
    if (findings->empty()) {
        out << "devices: all of them take the gate\n";
    }
    return code;
}

// Each of `wrong` is an error, about what it begins with; ok: there is none.
ExitCode report_all(Errc code, std::string_view about, const std::vector<std::string>& wrong,
                    std::ostream& err) {
    ExitCode exit_code = ExitCode::ok;
    for (const std::string& what : wrong) {
        exit_code = report({code, fmt::format("{}: {}", about, what)}, err);
    }
    return exit_code;
}

// Before a promotion meets what is somebody else's.
ExitCode say_routing(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<std::vector<std::string>> conflicts = check_routing(path);
    if (!conflicts) {
        return report(conflicts.error(), err);
    }
    const ExitCode code = report_all(Errc::already_exists, "routing", *conflicts, err);
    if (conflicts->empty()) {
        out << "routing: tables and preferences are the gateways' alone\n";
    }
    return code;
}

ExitCode say_daemons(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<DaemonsCheck> check = check_daemons(path);
    if (!check) {
        return report(check.error(), err);
    }
    const ExitCode code = report_all(Errc::invalid_config, "daemons", check->wrong, err);
    for (const std::string& file : check->unread) {
        out << "daemons: not looked at: " << printable(file) << "\n";
    }
    return code;
}

ExitCode say_connections(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<ConnectionsCheck> found = check_connections(path);
    if (!found) {
        return report(found.error(), err);
    }
    const ExitCode code = report_all(Errc::invalid_config, "ipsec", found->refused, err);
    for (const std::string& what : found->warnings) {
        out << "ipsec: warning: " << printable(what) << "\n";
    }
    return code;
}

void say_radius(const Result<RadiusCheck>& check, std::ostream& out) {
    if (!check) {
        out << "radius: not looked at: " << printable(check.error().detail) << "\n";
        return;
    }
    for (const std::string& what : check->warnings) {
        out << "radius: warning: " << printable(what) << "\n";
    }
    for (const std::string& file : check->unread) {
        out << "radius: not looked at: " << printable(file) << "\n";
    }
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

ExitCode say_voters(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<VotersCheck> voters = check_voters(path);
    if (voters && voters->is_error) {
        return report({Errc::invalid_config, "voters: " + voters->text}, err);
    }
    out << "voters: "
        << printable(!voters              ? "not looked at: " + voters.error().detail
                     : voters->is_warning ? "warning: " + voters->text
                                          : voters->text)
        << "\n";
    return ExitCode::ok;
}

// An attribute of the agent may keep them apart, so it is no error.
ExitCode say_call_ids(const std::string& path, std::ostream& out, std::ostream& err) {
    const Result<std::vector<std::string>> shared = check_call_ids(path);
    if (!shared && shared.error().code != Errc::unreachable) {
        return report(shared.error(), err);
    }
    if (!shared) {
        out << "call ids: not looked at: " << printable(shared.error().detail) << "\n";
    } else {
        for (const std::string& each : *shared) {
            out << "call ids: warning: " << printable(each) << "\n";
        }
    }
    return ExitCode::ok;
}

// Of the cluster, the log or vpnhad: where it does not run here yet there is nothing to look at.
void say_warnings(std::string_view about, const Result<std::vector<std::string>>& found,
                  std::string_view nothing, std::ostream& out) {
    if (!found) {
        out << about << ": not looked at: " << printable(found.error().detail) << "\n";
        return;
    }
    for (const std::string& what : *found) {
        out << about << ": warning: " << printable(what) << "\n";
    }
    if (found->empty()) {
        out << about << ": " << nothing << "\n";
    }
}

Result<std::vector<std::string>> overriding_constraints() {
    VPNHA_TRY(const std::vector<ConstraintFinding> all, check_constraints());
    std::vector<std::string> texts;
    for (const ConstraintFinding& each : overriding(all)) {
        texts.push_back(each.text);
    }
    return texts;
}

}  // namespace

ExitCode examine(const std::string& path, std::ostream& out, std::ostream& err) {
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
    const ExitCode devices = say_devices(path, out, err);
    const ExitCode routing = say_routing(path, out, err);
    const Result<std::string> clock = check_clock(path);
    if (!clock && clock.error().code != Errc::permission) {
        return report(clock.error(), err);
    }
    const std::string found = clock ? *clock : clock.error().detail;
    if (!found.empty()) {
        out << "clock: " << printable(found) << "\n";
    }
    check_links(out);
    const ExitCode voters = say_voters(path, out, err);
    say_warnings("fencing", check_fencing(path), "fits the nodes", out);
    say_warnings("constraints", overriding_constraints(), "none overrides the promotion scores",
                 out);
    const ExitCode call_ids = say_call_ids(path, out, err);
    for (const std::string& note : configuration_notes(path).value_or(std::vector<std::string>{})) {
        out << printable(note) << "\n";
    }
    const ExitCode daemons = say_daemons(path, out, err);
    const ExitCode connections = say_connections(path, out, err);
    say_radius(check_radius(path), out);
    say_old_programs(check_versions(), out);
    say_warnings("apparmor", check_denials(path), "has denied nothing within a day", out);
    say_warnings("qdiscs", looks::look_at_qdiscs(path), "none of a gateway's devices loses much",
                 out);
    say_warnings("sizes", looks::look_at_sizes(path, ask_at(kControlSocketPath)),
                 "no bound of a gateway is near", out);
    say_warnings("load", looks::look_at_planes(), "neither plane is near its end", out);
    // First, for it loads a module: settings of connection tracking are there with it.
    const Result<ConntrackCheck> tracking = check_conntrack(path);
    const ExitCode tuned = say_tuning(path, out, err);
    return std::max({devices, routing, voters, call_ids, daemons, connections, tuned,
                     say_connection_tracking(tracking, out, err)});
}

}  // namespace vpnha::cli
