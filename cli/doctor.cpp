// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/ask.hpp"
#include "cli/cluster_check.hpp"
#include "cli/looks/clocks.hpp"
#include "cli/looks/found.hpp"
#include "cli/looks/planes.hpp"
#include "cli/looks/qdiscs.hpp"
#include "cli/looks/sizes.hpp"
#include "cli/old_programs.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/control.hpp"
#include "vpnha/daemon.hpp"
#include "vpnha/tuning.hpp"

namespace vpnha::cli {

namespace {

using looks::Found;
using looks::kAboutFile;
using looks::Level;

void look_at_tuning(const std::string& path, Found& found) {
    const Result<TuningCheck> check = check_tuning(path);
    if (!check) {
        found.error("tuning", check.error());
        return;
    }
    for (const TuningFinding& finding : check->findings) {
        if (finding.is_error) {
            found.error("tuning", {Errc::unsupported, finding.text});
        } else {
            found.print(Level::advice, "tuning", finding.text);
        }
    }
    if (!check->unread.empty()) {
        found.print(Level::unread, "tuning", fmt::format("{}", fmt::join(check->unread, "; ")));
    }
    if (check->findings.empty()) {
        found.print(Level::good, "tuning",
                    check->unread.empty() ? "as wanted" : "all else is as wanted");
    }
}

void look_at_connection_tracking(const Result<ConntrackCheck>& check, Found& found) {
    constexpr std::string_view kAbout = "connection tracking";
    if (!check) {
        found.error(kAbout, check.error());
        return;
    }
    for (const ConntrackFinding& finding : check->findings) {
        if (finding.is_error) {
            found.error(kAbout, {Errc::unsupported, finding.text});
        } else {
            found.print(Level::note, kAbout, finding.text);
        }
    }
    if (check->replicated && check->findings.empty()) {
        found.print(Level::good, kAbout, "set for the replication of flows");
    }
}

// Before vpnhad needs the gate on them.
void look_at_devices(const std::string& path, Found& found) {
    const Result<std::vector<DeviceFinding>> findings = check_devices(path);
    if (!findings) {
        if (findings.error().code == Errc::permission) {
            found.print(Level::unread, "devices", findings.error().detail);
        } else {
            found.error("devices", findings.error());
        }
        return;
    }
    for (const DeviceFinding& finding : *findings) {
        if (finding.is_error) {
            found.error("devices", {Errc::unsupported, finding.text});
        } else {
            found.print(Level::warning, "devices", finding.text);
        }
    }
    if (findings->empty()) {
        found.print(Level::good, "devices", "all of them take the gate");
    }
}

void add_errors(Errc code, std::string_view about, const std::vector<std::string>& wrong,
                Found& found) {
    for (const std::string& what : wrong) {
        found.error(about, {code, what});
    }
}

// Before a promotion meets rules and routes of other programs.
void look_at_routing(const std::string& path, Found& found) {
    const Result<std::vector<std::string>> conflicts = check_routing(path);
    if (!conflicts) {
        found.error("routing", conflicts.error());
        return;
    }
    add_errors(Errc::already_exists, "routing", *conflicts, found);
    if (conflicts->empty()) {
        found.print(Level::good, "routing", "tables and preferences are the gateways' alone");
    }
}

void look_at_clock_rate(const std::string& path, Found& found) {
    const Result<std::string> clock = check_clock(path);
    if (clock && !clock->empty()) {
        found.print(Level::note, "clock", *clock);
    } else if (!clock && clock.error().code == Errc::permission) {
        found.print(Level::unread, "clock", clock.error().detail);
    } else if (!clock) {
        found.error("clock", clock.error());
    }
}

void look_at_daemons(const std::string& path, Found& found) {
    const Result<DaemonsCheck> check = check_daemons(path);
    if (!check) {
        found.error("daemons", check.error());
        return;
    }
    add_errors(Errc::invalid_config, "daemons", check->wrong, found);
    found.print_all(Level::unread, "daemons", check->unread);
}

void look_at_connections(const std::string& path, Found& found) {
    const Result<ConnectionsCheck> check = check_connections(path);
    if (!check) {
        found.error("ipsec", check.error());
        return;
    }
    add_errors(Errc::invalid_config, "ipsec", check->refused, found);
    found.print_all(Level::warning, "ipsec", check->warnings);
}

void look_at_radius(const std::string& path, Found& found) {
    const Result<RadiusCheck> check = check_radius(path);
    if (!check) {
        found.print(Level::unread, "radius", check.error().detail);
        return;
    }
    found.print_all(Level::warning, "radius", check->warnings);
    found.print_all(Level::unread, "radius", check->unread);
}

// If corosync does not run yet, there are no links to check, which is no fault.
void look_at_links(Found& found) {
    const Result<ClusterLinksCheck> links = check_cluster_links();
    if (!links) {
        found.print(Level::unread, "cluster links", links.error().detail);
    } else {
        found.print(links->is_warning ? Level::warning : Level::note, "cluster links", links->text);
    }
}

void look_at_voters(const std::string& path, Found& found) {
    const Result<VotersCheck> voters = check_voters(path);
    if (!voters) {
        found.print(Level::unread, "voters", voters.error().detail);
    } else if (voters->is_error) {
        found.error("voters", {Errc::invalid_config, voters->text});
    } else {
        found.print(voters->is_warning ? Level::warning : Level::note, "voters", voters->text);
    }
}

// An attribute of the agent may separate them, so it is no error.
void look_at_call_ids(const std::string& path, Found& found) {
    const Result<std::vector<std::string>> shared = check_call_ids(path);
    if (shared) {
        found.print_all(Level::warning, "call ids", *shared);
    } else if (shared.error().code == Errc::unreachable) {
        found.print(Level::unread, "call ids", shared.error().detail);
    } else {
        found.error("call ids", shared.error());
    }
}

// About the cluster, the log or vpnhad: while it does not run here, there is nothing to check.
void add_warnings(std::string_view about, const Result<std::vector<std::string>>& check,
                  const std::string& nothing, Found& found) {
    if (!check) {
        found.print(Level::unread, about, check.error().detail);
        return;
    }
    found.print_all(Level::warning, about, *check);
    if (check->empty()) {
        found.print(Level::good, about, nothing);
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

// Without the file, or a kernel that has the gate, all other checks are useless.
bool has_what_all_need(const std::string& path, Found& found) {
    const Result<std::string> text = effective_configuration(path);
    if (!text) {
        found.error(kAboutFile, text.error());
        return false;
    }
    found.print(Level::good, kAboutFile, path + ": good");
    const Result<void> kernel = check_kernel();
    // A user without permission has found no fault; root without it has what vpnhad would have.
    if (!kernel && (kernel.error().code != Errc::permission || ::geteuid() == 0)) {
        found.error("kernel", kernel.error());
        return false;
    }
    found.print(kernel ? Level::good : Level::unread, "kernel",
                kernel ? "has what the gate needs" : kernel.error().detail);
    return true;
}

void look_at_all(const std::string& path, Found& found) {
    look_at_devices(path, found);
    look_at_routing(path, found);
    look_at_clock_rate(path, found);
    add_warnings("time", looks::look_at_clock(), "a time daemon keeps the clock right", found);
    add_warnings("clocks", looks::look_at_differences(ask_at(kControlSocketPath)),
                 "none differs from that of a node that serves", found);
    look_at_links(found);
    look_at_voters(path, found);
    add_warnings("fencing", check_fencing(path), "fits the nodes", found);
    add_warnings("constraints", overriding_constraints(), "none overrides the promotion scores",
                 found);
    look_at_call_ids(path, found);
    found.print_all(Level::note, kAboutFile,
                    configuration_notes(path).value_or(std::vector<std::string>{}));
    look_at_daemons(path, found);
    look_at_connections(path, found);
    look_at_radius(path, found);
    print_old_programs(check_versions(), found);
    add_warnings("apparmor", check_denials(path), "has denied nothing within a day", found);
    add_warnings("qdiscs", looks::look_at_qdiscs(path), "none of a gateway's devices loses much",
                 found);
    add_warnings("sizes", looks::look_at_sizes(path, ask_at(kControlSocketPath)),
                 "no bound of a gateway is near", found);
    add_warnings("load", looks::look_at_planes(), "neither plane is near its end", found);
    // First, since it loads a module, which adds the settings of connection tracking.
    const Result<ConntrackCheck> tracking = check_conntrack(path);
    look_at_tuning(path, found);
    look_at_connection_tracking(tracking, found);
}

}  // namespace

ExitCode examine(const std::string& path, bool as_json, std::ostream& out, std::ostream& err) {
    Found found(as_json, out, err);
    if (has_what_all_need(path, found)) {
        look_at_all(path, found);
    }
    return found.end(path);
}

}  // namespace vpnha::cli
