// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/service/xl2tpd_service.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/number.hpp"
#include "host/os/text_file.hpp"
#include "host/sockets/udp_sockets.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/l2tp/service/xl2tpd_service_config.hpp"
#include "protocols/l2tp/service/xl2tpd_service_mute.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr const char* kControlPipe = "l2tp-control";
constexpr const char* kConfigOption = "-c";

Result<void> check_nonlocal_bind() {
    if (read_text("/proc/sys/net/ipv4/ip_nonlocal_bind").substr(0, 1) == "1") {
        return {};
    }
    return fail(Errc::unsupported,
                "net.ipv4.ip_nonlocal_bind is 0, so xl2tpd cannot bind a VIP that is served "
                "elsewhere; set it to 1 in /etc/sysctl.d");
}

Result<void> check_xl2tpd_program(const std::string& binary) {
    if (::access(binary.c_str(), X_OK) == 0) {
        return {};
    }
    return fail(Errc::unsupported,
                fmt::format("{} is not installed; install the package xl2tpd", binary));
}

Result<Xl2tpdConfig> load_config(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0) {
        return fail(Errc::invalid_config, system_error("reading " + path, errno).detail);
    }
    if (path.size() > kXl2tpdFileNameBytesMax) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: xl2tpd accepts no file name of more than {} characters", path,
                                kXl2tpdFileNameBytesMax));
    }
    return parse_xl2tpd_config(read_text(path), path);
}

Ipv4Endpoint endpoint(const StockStarted& started) {
    return {.address = parse_ipv4(started.fact("listen")).value_or(Ipv4Address{}),
            .port = static_cast<std::uint16_t>(std::atoi(started.fact("port").c_str()))};
}

bool has_pipe(const StockInstance& daemon) {
    struct stat pipe {};
    return ::stat(daemon.path(kControlPipe).c_str(), &pipe) == 0 && S_ISFIFO(pipe.st_mode);
}

// The connected sockets beside the listening one are data sockets of sessions.
bool is_listening(const StockInstance& daemon) {
    return has_pipe(daemon) && is_udp_listener(endpoint(daemon.started));
}

bool is_pppd(const StockStarted& started, const Process& process) {
    const std::vector<std::string> options_files = started.facts_of("options_file");
    return !process.arguments.empty() && process.arguments[0].find("pppd") != std::string::npos &&
           std::find_first_of(process.arguments.begin(), process.arguments.end(),
                              options_files.begin(),
                              options_files.end()) != process.arguments.end();
}

Result<void> unmute(const StockInstance& daemon) {
    return unmute_endpoint(daemon.gateway);
}

Result<void> mute(const StockInstance& daemon) {
    return mute_endpoint(daemon.gateway, endpoint(daemon.started));
}

Result<void> remove_pipe(const StockInstance& daemon) {
    ::unlink(daemon.path(kControlPipe).c_str());
    return {};
}

std::string who_has_the_port(const StockInstance& daemon) {
    return fmt::format("is {} taken by another process?", to_string(endpoint(daemon.started)));
}

std::string not_listening(const StockInstance& daemon) {
    return fmt::format("does not listen on {}", to_string(endpoint(daemon.started)));
}

// At its limit it runs but answers nobody. Without the rules of nftables/gateway.nft, each packet
// for tunnel 0 takes 10 KiB of it for ever (docs/reference/upstream-reports.md).
Result<void> has_memory_left(const StockInstance& daemon) {
    const std::optional<Process> process = daemon.process();
    const std::uint64_t used = (process ? data_bytes(*process) : 0) / (1024 * 1024);
    const std::uint64_t most = daemon.started.memory_max_mib;
    if (used * 4 <= most * 3) {
        return {};
    }
    return fail(Errc::limit,
                fmt::format("xl2tpd has {} MiB of memory, of the {} that memory_max lets it have; "
                            "started anew it frees them. Either it serves more sessions than "
                            "memory_max is for, or somebody sends it packets for tunnel 0: are the "
                            "rules of gateway.nft loaded (nft list table inet vpnha-{})?",
                            used, most, daemon.gateway));
}

// In MiB.
Result<std::uint32_t> memory_of(const Xl2tpdSettings& settings) {
    const auto whole = parse_whole<std::uint32_t>(settings.memory_max);
    if (!whole || *whole < kXl2tpdMemoryMinMib) {
        return fail(Errc::invalid_config,
                    fmt::format("memory_max is \"{}\": it has to be a number of MiB, without a "
                                "unit, and at least {}",
                                settings.memory_max, kXl2tpdMemoryMinMib));
    }
    return *whole;
}

}  // namespace

const StockKind& xl2tpd_kind() {
    static const StockKind kKind{.name = "xl2tpd",
                                 .start_timeout = 5s,
                                 .writes_pid_file = true,
                                 .is_ready = is_listening,
                                 .is_serving = has_pipe,
                                 .why_ended = who_has_the_port,
                                 .why_not_ready = not_listening,
                                 .before_start = unmute,
                                 .before_stop = mute,
                                 .after_end = remove_pipe,
                                 .is_helper = is_pppd,
                                 .look_closely = has_memory_left};
    return kKind;
}

Result<void> check_xl2tpd(const Xl2tpdSettings& settings) {
    VPNHA_CHECK(check_xl2tpd_program(settings.binary));
    VPNHA_CHECK(check_nonlocal_bind());
    VPNHA_CHECK(memory_of(settings));
    VPNHA_TRY(const Xl2tpdConfig config, load_config(settings.config));
    return {};
}

Result<StockStarted> plan_xl2tpd(const StockService& service, const Xl2tpdSettings& settings) {
    VPNHA_CHECK(check_xl2tpd(settings));
    VPNHA_TRY(Xl2tpdConfig config, load_config(settings.config));
    VPNHA_TRY(const std::uint32_t memory, memory_of(settings));
    StockStarted started{.arguments = {settings.binary, "-D", "-l", kConfigOption, settings.config,
                                       "-p", service.path("pid"), "-C", service.path(kControlPipe)},
                         .resource = settings.resource,
                         .memory_max_mib = memory,
                         .facts = {{"listen", to_string(config.listen.address)},
                                   {"port", std::to_string(config.listen.port)}}};
    if (!settings.options_file.empty()) {
        config.options_files = {settings.options_file};
    }
    for (std::string& options_file : config.options_files) {
        started.facts.emplace_back("options_file", std::move(options_file));
    }
    return started;
}

Result<Xl2tpdLns> running_lns(const std::string& gateway, const std::string& run_root) {
    const std::optional<StockStarted> started =
        StockService(xl2tpd_kind(), gateway, run_root).read_started();
    if (!started) {
        return fail(Errc::not_found, fmt::format("no xl2tpd of gateway {} runs here", gateway));
    }
    const auto option = std::ranges::find(started->arguments, kConfigOption);
    if (option == started->arguments.end() || std::next(option) == started->arguments.end()) {
        return fail(Errc::malformed, fmt::format("xl2tpd of {} has no configuration", gateway));
    }
    VPNHA_TRY(Xl2tpdConfig config, load_config(*std::next(option)));
    if (config.lns.size() != 1) {
        return fail(Errc::unsupported,
                    fmt::format("{} has {} sections [lns]: new calls of tunnels that were taken "
                                "over need one",
                                *std::next(option), config.lns.size()));
    }
    return std::move(config.lns.front());
}

}  // namespace vpnha::adapters

const vpnha::adapters::StockKind* vpnha::l2tp::stock_kind() {
    return &adapters::xl2tpd_kind();
}
