// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/look.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

#include "cli/cluster_check.hpp"
#include "cli/drill/programs.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/program_output.hpp"
#include "host/os/text_file.hpp"
#include "host/os/utc.hpp"
#include "host/pacemaker/cib.hpp"
#include "protocols/tables.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::cli::drill {

namespace {

constexpr std::chrono::seconds kPatience{10};

// Empty if it cannot be read.
std::string output(const std::vector<std::string>& words) {
    return adapters::output_of(words, kPatience, adapters::ErrorOutput::dropped)
        .value_or(std::string());
}

Result<ClusterState> cluster_state() {
    VPNHA_TRY(const std::string xml, adapters::output_of({kCrmMon, "--output-as=xml"}, kPatience,
                                                         adapters::ErrorOutput::dropped));
    return parse_crm_mon(xml);
}

std::string section(const char* scope) {
    return adapters::query_cib(adapters::kCibadmin, scope, kPatience,
                               adapters::ErrorOutput::dropped)
        .value_or(std::string());
}

// "192.0.2.11" of "…: inet 192.0.2.11/24 …".
std::vector<std::string> addresses_in(const std::string& text) {
    std::vector<std::string> addresses;
    std::istringstream words(text);
    std::string before;
    for (std::string word; words >> word; before = word) {
        if (before == "inet" || before == "inet6") {
            addresses.push_back(word.substr(0, word.find('/')));
        }
    }
    return addresses;
}

OutsideDevice outside_device(const std::string& name) {
    OutsideDevice device{.name = name};
    device.addresses = addresses_in(output({kIp, "-o", "address", "show", "dev", name}));
    std::string keeps =
        adapters::read_text(fmt::format("/proc/sys/net/ipv6/conf/{}/keep_addr_on_down", name));
    device.keeps_addresses = keeps.substr(0, keeps.find('\n'));
    for (const auto& [family, routes] :
         {std::pair("-4", &device.routes4), std::pair("-6", &device.routes6)}) {
        auto kept =
            routes_to_keep(output({kIp, family, "route", "show", "table", "main", "dev", name}));
        if (kept) {
            *routes = std::move(*kept);
        } else {
            device.trouble = kept.error().detail;
        }
    }
    return device;
}

// "runtime.config.totem.token (u32) = 650"
std::optional<double> token_ms() {
    const std::string line = output({kCmapctl, "-g", "runtime.config.totem.token"});
    const std::size_t equals = line.rfind("= ");
    return equals == std::string::npos
               ? std::nullopt
               : std::optional(std::strtod(line.c_str() + equals + 2, nullptr));
}

}  // namespace

Result<Facts> look_at_health(const Ask& ask) {
    Facts facts;
    VPNHA_TRY(facts.status, ask("status", nlohmann::json::object()));
    facts.cluster = cluster_state();
    for (const ConstraintFinding& each :
         overriding(check_constraints().value_or(std::vector<ConstraintFinding>{}))) {
        facts.constraints.push_back(each.text);
    }
    return facts;
}

Result<Facts> look(const Order& order, const Ask& ask) {
    VPNHA_TRY(Facts facts, look_at_health(ask));
    VPNHA_TRY(const config::Config config, config::load(kConfigurationPath));
    facts.stonith_action =
        cluster_option(section("crm_config"), "stonith-action").value_or(std::string());
    facts.is_probed = is_probed(section("resources"), order.gateway).value_or(false);
    facts.links = parse_cluster_links(output({kCfgtool, "-n"}));
    facts.lease_port = config.lease_port;
    if (const config::Gateway* const gateway = config.find(order.gateway)) {
        VPNHA_TRY(const auto network, adapters::NetworkNamespace::open(gateway->netns));
        const adapters::InNetwork within(network);
        facts.service_runs =
            !order.service.empty() && !adapters::processes_here(order.service).empty();
        facts.outside = outside_device(gateway->outside.interface);
        facts.outside.netns = gateway->netns;
        facts.stand_in = gateway->stand_in;
    }
    facts.token_ms = token_ms();
    std::error_code error;
    facts.program = std::filesystem::read_symlink("/proc/self/exe", error).string();
    return facts;
}

double unix_ms_now() {
    return static_cast<double>(adapters::unix_us_now()) / 1000;
}

}  // namespace vpnha::cli::drill
