// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/xl2tpd_service.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "adapters/lock_file.hpp"
#include "adapters/text_file.hpp"
#include "adapters/xl2tpd_service_config.hpp"
#include "adapters/xl2tpd_service_mute.hpp"
#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr auto kStartTimeout = 5s;
constexpr auto kKillTimeout = 5s;
constexpr auto kPollInterval = 5ms;

bool has_argument(const Process& process, const std::string& argument) {
    return std::find(process.arguments.begin(), process.arguments.end(), argument) !=
           process.arguments.end();
}

// Is there an unconnected UDP socket bound to the endpoint? The connected ones beside it are data
// sockets of sessions.
bool is_listening(const Ipv4Endpoint& endpoint) {
    // The kernel prints the address as the host-order number of its network-order octets.
    const std::uint32_t swapped = __builtin_bswap32(endpoint.address.value);
    const std::string wanted = fmt::format("{:08X}:{:04X} 00000000:0000 ", swapped, endpoint.port);
    return read_text("/proc/net/udp").find(wanted) != std::string::npos;
}

Result<void> check_nonlocal_bind() {
    if (read_text("/proc/sys/net/ipv4/ip_nonlocal_bind").substr(0, 1) == "1") {
        return {};
    }
    return fail(Errc::unsupported,
                "net.ipv4.ip_nonlocal_bind is 0, so xl2tpd cannot bind a VIP that is served "
                "elsewhere; set it to 1 in /etc/sysctl.d");
}

Result<void> check_executable(const std::string& binary) {
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
    return parse_xl2tpd_config(read_text(path), path);
}

}  // namespace

Xl2tpdService::Xl2tpdService(std::string gateway, const std::string& run_root)
    : gateway_(std::move(gateway)), directory_(run_root + "/" + gateway_) {
    VPNHA_ASSERT(!gateway_.empty() && gateway_.size() <= limits::kGatewayNameBytesMax);
}

std::string Xl2tpdService::path(const char* name) const {
    return directory_ + "/" + name;
}

Result<Xl2tpdService::Started> Xl2tpdService::plan(const Settings& settings) const {
    VPNHA_CHECK(check(settings));
    VPNHA_TRY(Xl2tpdConfig config, load_config(settings.config));
    Started started{.endpoint = config.listen,
                    .options_files = std::move(config.options_files),
                    .arguments = {settings.binary, "-D", "-l", "-c", settings.config, "-p",
                                  path("pid"), "-C", path("l2tp-control")},
                    .resource = settings.resource};
    if (!settings.options_file.empty()) {
        started.options_files = {settings.options_file};
    }
    return started;
}

std::optional<Xl2tpdService::Started> Xl2tpdService::read_started() const {
    std::ifstream file(path("started"));
    Started started;
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = std::min(line.find('='), line.size());
        const std::string key = line.substr(0, equals);
        const std::string value = line.substr(std::min(equals + 1, line.size()));
        if (key == "listen") {
            started.endpoint.address = parse_ipv4(value).value_or(Ipv4Address{});
        } else if (key == "port") {
            started.endpoint.port = static_cast<std::uint16_t>(std::atoi(value.c_str()));
        } else if (key == "options_file") {
            started.options_files.push_back(value);
        } else if (key == "argument") {
            started.arguments.push_back(value);
        } else if (key == "resource") {
            started.resource = value;
        }
    }
    return started.arguments.empty() ? std::nullopt : std::optional(std::move(started));
}

Result<std::optional<Xl2tpdService::Held>> Xl2tpdService::hold_started(int operation) const {
    if (::access(path("started").c_str(), F_OK) != 0) {
        return std::nullopt;
    }
    VPNHA_TRY(UniqueFd lock, lock_directory(directory_, operation));
    auto started = read_started();
    return started ? std::optional(Held{std::move(lock), std::move(*started)}) : std::nullopt;
}

Result<void> Xl2tpdService::write_started(const Started& started) const {
    const std::string fresh = path("started.new");
    std::ofstream file(fresh, std::ios::trunc);
    file << "listen=" << to_string(started.endpoint.address) << '\n'
         << "port=" << started.endpoint.port << '\n'
         << "resource=" << started.resource << '\n';
    for (const std::string& name : started.options_files) {
        file << "options_file=" << name << '\n';
    }
    for (const std::string& argument : started.arguments) {
        file << "argument=" << argument << '\n';
    }
    file.close();
    if (!file || std::rename(fresh.c_str(), path("started").c_str()) != 0) {
        return tl::unexpected(system_error("writing " + path("started"), errno));
    }
    return {};
}

std::optional<Process> Xl2tpdService::daemon(const Started& started) const {
    const int pid = std::atoi(read_text(path("pid")).c_str());
    auto process = pid > 0 ? read_process(pid) : std::nullopt;
    return process && process->arguments == started.arguments ? process : std::nullopt;
}

bool Xl2tpdService::is_serving(const Started& started) const {
    struct stat pipe {};
    return daemon(started) && ::stat(path("l2tp-control").c_str(), &pipe) == 0 &&
           S_ISFIFO(pipe.st_mode);
}

Result<std::vector<Process>> Xl2tpdService::remains(const Started& started) {
    VPNHA_TRY(std::vector<Process> all, list_processes());
    std::vector<Process> found;
    for (Process& process : all) {
        // The daemon, and children of it that have not executed pppd yet.
        bool ours = process.arguments == started.arguments;
        for (const std::string& options_file : started.options_files) {
            ours = ours || (has_argument(process, options_file) &&
                            process.arguments[0].find("pppd") != std::string::npos);
        }
        if (ours) {
            found.push_back(std::move(process));
        }
    }
    return found;
}

Result<void> Xl2tpdService::kill_all(const Started& started) const {
    // Its own children are known only while it lives, whatever options file they have.
    std::vector<Process> children;
    if (const auto parent = daemon(started)) {
        VPNHA_TRY(children, list_processes());
        children.erase(std::remove_if(children.begin(), children.end(),
                                      [&parent](const Process& process) {
                                          return process.parent != parent->pid;
                                      }),
                       children.end());
        VPNHA_CHECK(kill_and_wait({*parent}, kKillTimeout));
    }
    VPNHA_CHECK(kill_and_wait(children, kKillTimeout));
    const auto deadline = std::chrono::steady_clock::now() + kKillTimeout;
    for (;;) {
        VPNHA_TRY(std::vector<Process> left, remains(started));
        if (left.empty()) {
            break;
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Errc::timeout,
                        fmt::format("new processes of gateway {} keep appearing, such as {}; "
                                    "something else starts them",
                                    gateway_, left[0].pid));
        }
        // The daemons first: a living one would tell its peers of the death of its pppds.
        std::stable_partition(left.begin(), left.end(), [&started](const Process& process) {
            return process.arguments == started.arguments;
        });
        VPNHA_CHECK(kill_and_wait(left, kKillTimeout));
    }
    ::unlink(path("pid").c_str());
    ::unlink(path("l2tp-control").c_str());
    return {};
}

Result<void> Xl2tpdService::launch(const Started& started) const {
    VPNHA_TRY(const pid_t pid,
              spawn_detached({.arguments = started.arguments, .error_file = path("errors")}));
    const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
    while (!is_serving(started) || !is_listening(started.endpoint)) {
        if (!read_process(pid)) {
            return fail(Errc::system,
                        fmt::format("xl2tpd ended at once; is {} taken by another process? "
                                    "The system log and {} say more",
                                    to_string(started.endpoint), path("errors")));
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Errc::timeout, fmt::format("xl2tpd (process {}) does not listen on {}", pid,
                                                   to_string(started.endpoint)));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
    return {};
}

Result<void> Xl2tpdService::check(const Settings& settings) {
    VPNHA_CHECK(check_executable(settings.binary));
    VPNHA_CHECK(check_nonlocal_bind());
    VPNHA_TRY(const Xl2tpdConfig config, load_config(settings.config));
    return {};
}

Result<void> Xl2tpdService::start(const Settings& settings) {
    VPNHA_TRY(const Started wanted, plan(settings));
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    const auto started = read_started();
    if (started) {
        if (*started == wanted && is_serving(wanted) && !is_ending()) {
            return {};
        }
        VPNHA_CHECK(kill_all(*started));
    }
    ::unlink(path("ending").c_str());
    VPNHA_CHECK(unmute_endpoint(gateway_));
    VPNHA_CHECK(write_started(wanted));
    return launch(wanted);
}

Result<void> Xl2tpdService::stop() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    return end(held->started);
}

Result<void> Xl2tpdService::end(const Started& started) const {
    VPNHA_CHECK(mute_endpoint(gateway_, started.endpoint));
    VPNHA_CHECK(kill_all(started));
    ::unlink(path("started").c_str());
    ::unlink(path("ending").c_str());
    return {};
}

bool Xl2tpdService::is_ending() const {
    return ::access(path("ending").c_str(), F_OK) == 0;
}

Result<void> Xl2tpdService::stop_later() {
    if (::access(path("started").c_str(), F_OK) != 0) {
        return {};
    }
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    if (!std::ofstream(path("ending"))) {
        return tl::unexpected(system_error("creating " + path("ending"), errno));
    }
    return {};
}

Result<Xl2tpdService::State> Xl2tpdService::status() const {
    VPNHA_TRY(const auto held, hold_started(LOCK_SH));
    if (!held || is_ending()) {
        return State::stopped;
    }
    return is_serving(held->started) ? State::running : State::dead;
}

std::optional<Xl2tpdService::Running> Xl2tpdService::running() const {
    const auto started = read_started();
    if (!started || is_ending()) {
        return std::nullopt;
    }
    Running running{.process = {}, .resource = started->resource};
    if (const auto process = daemon(*started)) {
        running.process = open_process(*process);
    }
    return running;
}

Result<void> Xl2tpdService::reset() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    return replace(held->started);
}

Result<void> Xl2tpdService::replace(const Started& started) const {
    if (is_ending()) {
        return end(started);
    }
    VPNHA_CHECK(kill_all(started));
    return launch(started);
}

Result<void> Xl2tpdService::begin_reset() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (child == 0) {
        // Whoever reads its parent's words does not wait for its own end.
        leave_caller();
        ::_exit(replace(held->started) ? 0 : 1);
    }
    return {};
}

Result<void> Xl2tpdService::wait_idle() const {
    if (::access(directory_.c_str(), F_OK) != 0) {
        return {};
    }
    return lock_directory(directory_, LOCK_SH).map([](const UniqueFd&) {});
}

}  // namespace vpnha::adapters
