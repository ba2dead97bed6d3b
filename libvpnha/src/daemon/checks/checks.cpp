// SPDX-License-Identifier: GPL-2.0-or-later
// Checks that need no running daemon; those of one protocol alone are in its folder.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "daemon/checks/apparmor_denials.hpp"
#include "daemon/checks/clock_rate.hpp"
#include "daemon/checks/cluster_links.hpp"
#include "daemon/checks/constraints.hpp"
#include "daemon/checks/daemons_check.hpp"
#include "daemon/checks/devices_check.hpp"
#include "daemon/checks/fencing_check.hpp"
#include "daemon/checks/program_versions.hpp"
#include "daemon/checks/quorum_mode.hpp"
#include "host/addresses/each_network.hpp"
#include "host/addresses/routing_conflicts.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/gate/gate_silence.hpp"
#include "host/os/qb_loop.hpp"
#include "host/pacemaker/cib.hpp"
#include "protocols/tables.hpp"
#include "services/accounting/backend/radius_check.hpp"
#include "services/flows/backend/conntrack_check.hpp"
#include "services/flows/backend/conntrack_settings.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha {

namespace {

// `vpnha status` waits for it.
constexpr std::chrono::seconds kCibTimeout{2};
constexpr const char* kJournalctl = "/usr/bin/journalctl";
constexpr std::chrono::seconds kJournalTimeout{5};

Result<std::string> cib_configuration() {
    const Result<std::string> cib = adapters::query_cib(
        adapters::kCibadmin, "configuration", kCibTimeout, adapters::ErrorOutput::dropped);
    return cib ? cib
               : fail(cib.error().code,
                      fmt::format("{}: {}", adapters::kCibadmin, cib.error().detail));
}

}  // namespace

Result<void> check_config(const std::string& config_file) {
    return config::load(config_file).map([](const config::Config&) {});
}

Result<void> check_kernel() {
    return adapters::probe_gate();
}

Result<std::string> check_clock(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    return runtime::check_clock_rate(config.clock_rate_ppm);
}

Result<ClusterLinksCheck> check_cluster_links() {
    adapters::QbLoop loop;
    VPNHA_TRY(const auto map, adapters::ClusterMap::open(
                                  loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
    return runtime::check_links(map->link_mode(), map->nodes());
}

Result<VotersCheck> check_voters(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    adapters::QbLoop loop;
    VPNHA_TRY(const auto map, adapters::ClusterMap::open(
                                  loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
    return runtime::check_voters(map->quorum(), map->nodes(), config.witness);
}

Result<std::vector<ConstraintFinding>> check_constraints() {
    VPNHA_TRY(const std::string cib, cib_configuration());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return runtime::find_in_constraints(cib, now);
}

Result<std::vector<std::string>> check_fencing(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    VPNHA_TRY(const std::string cib, cib_configuration());
    return runtime::find_in_fencing(cib, !config.witness.name.empty());
}

Result<std::vector<std::string>> check_denials(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    if (::geteuid() != 0) {
        return fail(Errc::permission, "only root can look at what the kernel has logged");
    }
    // auditd's lines are in the journal as well, as another transport.
    VPNHA_TRY(const adapters::Printed log,
              adapters::printed_by(
                  {kJournalctl, "--quiet", "--no-pager", "--output=cat", "--since=-1d",
                   "--grep=apparmor=.DENIED", "_TRANSPORT=kernel", "+", "_TRANSPORT=audit"},
                  kJournalTimeout, adapters::ErrorOutput::dropped));
    std::vector<std::string> daemons;
    for (const config::Gateway& gateway : config.gateways) {
        for (const config::Facts& protocol : gateway.protocols.facts()) {
            daemons.emplace_back(protocol.daemon);
        }
    }
    return runtime::find_denials(log.text, std::move(daemons));
}

Result<ConntrackCheck> check_conntrack(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    ConntrackCheck check{.replicated = runtime::replicates_flows(config)};
    VPNHA_CHECK(adapters::in_each_network(
        config, [&check](const config::Config& part, const std::string& where) -> Result<void> {
            for (const conntrack::Finding& finding : runtime::find_in_conntrack(
                     part, [] { return adapters::read_conntrack_settings(); })) {
                check.findings.push_back({finding.severity == conntrack::Finding::Severity::error,
                                          where + to_string(finding)});
            }
            return {};
        }));
    return check;
}

Result<std::vector<DeviceFinding>> check_devices(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    std::vector<DeviceFinding> findings;
    VPNHA_CHECK(adapters::in_each_network(
        config, [&findings](const config::Config& part, const std::string& where) -> Result<void> {
            VPNHA_TRY(const std::vector<DeviceFinding> found, runtime::find_in_devices(part));
            for (const DeviceFinding& each : found) {
                findings.push_back({each.is_error, where + each.text});
            }
            return {};
        }));
    return findings;
}

Result<std::vector<std::string>> check_routing(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    std::vector<std::string> all;
    VPNHA_CHECK(adapters::in_each_network(
        config, [&all](const config::Config& part, const std::string& where) -> Result<void> {
            VPNHA_TRY(const adapters::RoutingConflicts conflicts,
                      adapters::routing_conflicts(part));
            for (const auto& [gateway, texts] : conflicts) {
                for (const std::string& text : texts) {
                    all.push_back(where + text);
                }
            }
            return {};
        }));
    return all;
}

Result<DaemonsCheck> check_daemons(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    return runtime::find_in_daemons(config);
}

Result<RadiusCheck> check_radius(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    if (!runtime::uses_radius(config)) {
        return RadiusCheck{};
    }
    VPNHA_TRY(const runtime::GuardedWays ways, runtime::read_guarded_ways());
    return runtime::find_in_radius(config, ways);
}

Result<std::vector<OldProgram>> check_versions() {
    VPNHA_TRY(const std::string packages, runtime::read_packages());
    return runtime::find_old_programs(packages, runtime::kernel_release());
}

}  // namespace vpnha
