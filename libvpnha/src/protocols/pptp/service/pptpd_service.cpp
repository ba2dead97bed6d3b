// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/service/pptpd_service.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/number.hpp"
#include "host/os/text_file.hpp"
#include "host/sockets/tcp_sockets.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/pptp/service/call_trial.hpp"
#include "protocols/pptp/service/pptpd_service_config.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPptpPort = 1723;
// For a whole call, which takes some tens of milliseconds on an idle machine.
constexpr std::chrono::seconds kTrialPatience{5};
// Every process of the daemon has it in its environment. It stays there when pptpctrl changes its
// title.
constexpr const char* kMark = "VPNHA_PPTPD=";

Result<void> check_programs(const PptpdSettings& settings) {
    for (const char* const program : {"/usr/sbin/pptpd", "/usr/sbin/pptpctrl"}) {
        if (::access(program, X_OK) != 0) {
            return fail(Errc::unsupported,
                        fmt::format("{} is not installed; install the package pptpd", program));
        }
    }
    if (::access(settings.launcher.c_str(), X_OK) != 0) {
        return fail(Errc::unsupported,
                    system_error("executing " + settings.launcher, errno).detail);
    }
    if (read_text("/proc/sys/net/ipv4/ip_nonlocal_bind").substr(0, 1) != "1") {
        return fail(Errc::unsupported,
                    "net.ipv4.ip_nonlocal_bind is 0, so pptpd cannot bind a VIP that is served "
                    "elsewhere; set it to 1 in /etc/sysctl.d");
    }
    return {};
}

Result<PptpdConfig> load_pptpd_config(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0) {
        return fail(Errc::invalid_config, system_error("reading " + path, errno).detail);
    }
    VPNHA_TRY(PptpdConfig config, parse_pptpd_config(read_text(path), path));
    if (::access(config.options_file.c_str(), R_OK) != 0) {
        return fail(Errc::invalid_config,
                    system_error("reading " + config.options_file, errno).detail);
    }
    return config;
}

Ipv4Endpoint control_endpoint(const StockStarted& started) {
    return {.address = parse_ipv4(started.fact("listen")).value_or(Ipv4Address{}),
            .port = kPptpPort};
}

bool takes_calls(const StockInstance& daemon) {
    return is_tcp_listener(control_endpoint(daemon.started));
}

std::string bad_pptpd_conf(const StockInstance& /*daemon*/) {
    return "is its configuration in order?";
}

// No pptpd of this node runs. Another listener would be taken for ours.
Result<void> check_port_free(const StockInstance& daemon) {
    const Ipv4Endpoint endpoint = control_endpoint(daemon.started);
    for (const Ipv4Address address : {endpoint.address, Ipv4Address{}}) {
        if (is_tcp_listener({.address = address, .port = endpoint.port})) {
            return fail(Errc::system,
                        fmt::format("{} is taken by another process; end it, with 'systemctl "
                                    "disable --now pptpd.service' if it is the stock one",
                                    to_string(endpoint)));
        }
    }
    return {};
}

std::string takes_no_calls(const StockInstance& daemon) {
    return fmt::format("does not listen on {}", to_string(control_endpoint(daemon.started)));
}

Result<void> destroy_its_connections(const StockInstance& daemon) {
    return destroy_connections(control_endpoint(daemon.started));
}

bool has_part(const Process& process, std::string_view name) {
    return process.arguments[0].find(name) != std::string::npos;
}

// It gives itself the title "pptpd [client]".
bool is_pptpctrl(const Process& process) {
    return !process.arguments.empty() &&
           (has_part(process, "pptpctrl") || process.arguments[0].starts_with("pptpd ["));
}

bool is_marked(const StockStarted& started, const Process& process) {
    const auto mark =
        std::find_if(started.environment.begin(), started.environment.end(),
                     [](const std::string& variable) { return variable.starts_with(kMark); });
    const std::string environment =
        '\0' + read_text(fmt::format("/proc/{}/environ", process.pid)) + '\0';
    return mark != started.environment.end() &&
           environment.find('\0' + *mark + '\0') != std::string::npos;
}

bool is_control_of_a_client(const StockStarted& started, const Process& process) {
    return is_pptpctrl(process) && is_marked(started, process);
}

bool is_of_a_client(const StockStarted& started, const Process& process) {
    const bool pppd = !process.arguments.empty() && has_part(process, "pppd");
    return (pppd || is_pptpctrl(process)) && is_marked(started, process);
}

bool is_full(const StockStarted& started) {
    const std::string slots = started.fact("connections");
    const auto processes = list_processes();
    if (slots.empty() || !processes) {
        return false;
    }
    const auto taken = std::count_if(
        processes->begin(), processes->end(),
        [&started](const Process& process) { return is_control_of_a_client(started, process); });
    return taken >= std::stol(slots);
}

// Only on the node that has the gateway: elsewhere its address leads to another node.
Result<void> make_a_call(const StockInstance& daemon) {
    const Ipv4Address vip = control_endpoint(daemon.started).address;
    if (!is_address_here(vip) || is_full(daemon.started)) {
        return {};
    }
    const Result<void> made =
        try_call({.server = vip, .source = vip, .patience = kTrialPatience}).result;
    // The last slot was taken meanwhile, or the gateway has moved.
    return made || is_full(daemon.started) || !is_address_here(vip) ? Result<void>{} : made;
}

Result<void> check_call_id_offset(const PptpdSettings& settings) {
    constexpr unsigned kStep = 8;
    constexpr unsigned kEnd = 128;
    if (settings.call_id_offset.empty()) {
        return {};
    }
    const auto offset = parse_whole<unsigned>(settings.call_id_offset);
    if (!offset || *offset % kStep != 0 || *offset >= kEnd) {
        return fail(Errc::invalid_config,
                    fmt::format("call_id_offset is \"{}\": it has to be a multiple of {} below {}",
                                settings.call_id_offset, kStep, kEnd));
    }
    return {};
}

}  // namespace

const StockKind& pptpd_kind() {
    static const StockKind kKind{.name = "pptpd",
                                 .start_timeout = 5s,
                                 .is_ready = takes_calls,
                                 .is_serving = takes_calls,
                                 .why_ended = bad_pptpd_conf,
                                 .why_not_ready = takes_no_calls,
                                 .before_start = check_port_free,
                                 .after_end = destroy_its_connections,
                                 .is_helper = is_of_a_client,
                                 .is_full = is_full,
                                 .look_closely = make_a_call};
    return kKind;
}

Result<void> check_pptpd(const PptpdSettings& settings) {
    VPNHA_CHECK(check_programs(settings));
    VPNHA_CHECK(check_call_id_offset(settings));
    VPNHA_TRY(const PptpdConfig config, load_pptpd_config(settings.config));
    return {};
}

Result<StockStarted> plan_pptpd(const StockService& service, const PptpdSettings& settings) {
    VPNHA_CHECK(check_programs(settings));
    VPNHA_CHECK(check_call_id_offset(settings));
    VPNHA_TRY(const PptpdConfig config, load_pptpd_config(settings.config));
    StockStarted started{.arguments = {settings.launcher, "--fg", "--conf", settings.config,
                                       "--pidfile", service.path("pptpd.pid")},
                         .environment = {kMark + service.path("")},
                         .resource = settings.resource,
                         .facts = {{"listen", to_string(config.listen)},
                                   {"connections", std::to_string(config.connections)}}};
    if (!settings.call_id_offset.empty()) {
        started.environment.push_back("VPNHA_CALL_ID_OFFSET=" + settings.call_id_offset);
    }
    return started;
}

}  // namespace vpnha::adapters

const vpnha::adapters::StockKind* vpnha::pptp::stock_kind() {
    return &adapters::pptpd_kind();
}
