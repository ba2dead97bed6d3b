// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/stock_service.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/os/lock_file.hpp"
#include "host/os/text_file.hpp"
#include "host/services/private_run.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr auto kKillTimeout = 5s;
constexpr auto kPollInterval = 5ms;
constexpr std::uint64_t kMebibyte = std::uint64_t{1024} * 1024;

Result<void> call(Result<void> (*hook)(const StockInstance&), const StockInstance& daemon) {
    return hook == nullptr ? Result<void>{} : hook(daemon);
}

// Of a daemon that was started. If the namespace's name is gone, an empty namespace is entered: so
// no other daemon is found there, or removed.
Result<std::unique_ptr<InNetwork>> enter_network_of(const StockStarted& started) {
    if (started.netns.empty()) {
        return nullptr;
    }
    auto network = NetworkNamespace::open(started.netns);
    if (!network && network.error().code == Errc::not_found) {
        network = NetworkNamespace::make();
    }
    return network.map([](const NetworkNamespace& to) { return std::make_unique<InNetwork>(to); });
}

}  // namespace

std::optional<Process> StockInstance::process() const {
    const int pid = std::atoi(read_text(path("pid")).c_str());
    auto process = pid > 0 ? read_process(pid) : std::nullopt;
    return process && process->arguments == started.arguments ? process : std::nullopt;
}

Result<Command> StockInstance::place(Command command) const {
    if (!started.netns.empty()) {
        VPNHA_TRY(PrivateRun run, PrivateRun::prepare(started.netns));
        command.in_child = [run = std::move(run)] { return run.enter(); };
    }
    return command;
}

std::vector<std::string> StockStarted::facts_of(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : facts) {
        if (key == name) {
            values.push_back(value);
        }
    }
    return values;
}

std::string StockStarted::fact(std::string_view name) const {
    std::vector<std::string> values = facts_of(name);
    return values.empty() ? std::string() : std::move(values.front());
}

StockService::StockService(const StockKind& kind, std::string gateway, const std::string& run_root)
    : kind_(&kind),
      gateway_(std::move(gateway)),
      directory_(run_root + "/" + kind.name + "/" + gateway_) {
    VPNHA_ASSERT(!gateway_.empty() && gateway_.size() <= limits::kGatewayNameBytesMax);
}

std::string StockService::path(const char* name) const {
    return directory_ + "/" + name;
}

StockInstance StockService::instance(const StockStarted& started) const {
    return {.gateway = gateway_, .directory = directory_, .started = started};
}

std::optional<StockStarted> StockService::read_started() const {
    std::ifstream file(path("started"));
    StockStarted started;
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = std::min(line.find('='), line.size());
        std::string key = line.substr(0, equals);
        std::string value = line.substr(std::min(equals + 1, line.size()));
        if (key == "argument") {
            started.arguments.push_back(std::move(value));
        } else if (key == "environment") {
            started.environment.push_back(std::move(value));
        } else if (key == "resource") {
            started.resource = std::move(value);
        } else if (key == "netns") {
            started.netns = std::move(value);
        } else if (key == "memory_max_mib") {
            started.memory_max_mib = std::strtoull(value.c_str(), nullptr, 10);
        } else {
            started.facts.emplace_back(std::move(key), std::move(value));
        }
    }
    return started.arguments.empty() ? std::nullopt : std::optional(std::move(started));
}

Result<std::optional<StockService::Held>> StockService::hold_started(int operation) const {
    if (::access(path("started").c_str(), F_OK) != 0) {
        return std::nullopt;
    }
    VPNHA_TRY(UniqueFd lock, lock_directory(directory_, operation));
    auto started = read_started();
    if (!started) {
        return std::nullopt;
    }
    VPNHA_TRY(auto within, enter_network_of(*started));
    return Held{std::move(lock), std::move(*started), std::move(within)};
}

Result<void> StockService::write_started(const StockStarted& started) const {
    std::string text =
        fmt::format("resource={}\nmemory_max_mib={}\n", started.resource, started.memory_max_mib);
    if (!started.netns.empty()) {
        text += fmt::format("netns={}\n", started.netns);
    }
    for (const auto& [key, value] : started.facts) {
        text += fmt::format("{}={}\n", key, value);
    }
    for (const std::string& variable : started.environment) {
        text += fmt::format("environment={}\n", variable);
    }
    for (const std::string& argument : started.arguments) {
        text += fmt::format("argument={}\n", argument);
    }
    return replace_text(path("started"), text);
}

std::optional<Process> StockService::daemon(const StockStarted& started) const {
    return instance(started).process();
}

bool StockService::is_serving(const StockStarted& started) const {
    return daemon(started) && kind_->is_serving(instance(started));
}

bool StockService::is_remain(const StockStarted& started, const Process& process) const {
    // The daemon, and children of it that have not executed their program yet.
    const bool is_daemon = process.arguments == started.arguments;
    return is_daemon || (kind_->is_helper != nullptr && kind_->is_helper(started, process));
}

Result<std::vector<Process>> StockService::remains(const StockStarted& started) const {
    VPNHA_TRY(std::vector<Process> found, list_processes());
    std::erase_if(found, [&](const Process& process) { return !is_remain(started, process); });
    return found;
}

Result<void> StockService::end_all(const StockStarted& started) const {
    if (const auto parent = daemon(started)) {
        // Its own children are known only while it lives. At the death of a pptpctrl its pppd would
        // hang up, and run its scripts: all are killed at once.
        VPNHA_TRY(std::vector<Process> all, list_processes());
        std::erase_if(all, [&](const Process& process) {
            return process.parent != parent->pid && !is_remain(started, process);
        });
        if (kind_->end_patience > 0ms) {
            terminate_and_wait(*parent, kind_->end_patience);
        }
        VPNHA_CHECK(kill_and_wait(all, kKillTimeout));
    }
    const auto deadline = std::chrono::steady_clock::now() + kKillTimeout;
    for (;;) {
        VPNHA_TRY(const std::vector<Process> left, remains(started));
        if (left.empty()) {
            break;
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Errc::timeout,
                        fmt::format("new processes of gateway {} keep appearing, such as {}; "
                                    "something else starts them",
                                    gateway_, left[0].pid));
        }
        VPNHA_CHECK(kill_and_wait(left, kKillTimeout));
    }
    ::unlink(path("pid").c_str());
    return call(kind_->after_end, instance(started));
}

Result<void> StockService::launch(const StockStarted& started,
                                  std::chrono::milliseconds patience) const {
    VPNHA_CHECK(NetworkNamespace::open(started.netns));  // It still has its name.
    VPNHA_TRY(const pid_t pid, instance(started)
                                   .place({.arguments = started.arguments,
                                           .error_file = path("errors"),
                                           .environment = started.environment,
                                           .data_bytes_max = started.memory_max_mib * kMebibyte})
                                   .and_then(spawn_detached));
    if (!kind_->writes_pid_file) {
        VPNHA_CHECK(write_text(path("pid"), std::to_string(pid)));
    }
    const auto until = std::chrono::steady_clock::now() + patience;
    VPNHA_CHECK(wait_ready(started, pid, patience));
    if (kind_->after_start == nullptr) {
        return {};
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    Result<void> prepared = kind_->after_start(instance(started), std::max(left, 0ms));
    if (!prepared) {
        // It is no service of ours, even if it answers.
        VPNHA_CHECK(end_all(started));
    }
    return prepared;
}

Result<void> StockService::wait_ready(const StockStarted& started, pid_t pid,
                                      std::chrono::milliseconds patience) const {
    const auto deadline =
        std::chrono::steady_clock::now() + std::max(kind_->start_timeout, patience);
    while (!daemon(started) || !kind_->is_ready(instance(started))) {
        if (!read_process(pid)) {
            const std::string words = last_line(path("errors"));
            return fail(Errc::system, fmt::format("{} ended at once; {} {}", kind_->name,
                                                  kind_->why_ended(instance(started)),
                                                  words.empty() ? "The system log may have more"
                                                                : "Its last words: " + words));
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Errc::timeout, fmt::format("{} (process {}) {}", kind_->name, pid,
                                                   kind_->why_not_ready(instance(started))));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
    return {};
}

Result<void> StockService::start(const StockStarted& wanted, std::chrono::milliseconds patience) {
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    const auto started = read_started();
    if (started) {
        if (is_running_as(wanted)) {
            return {};
        }
        VPNHA_TRY(const auto there, enter_network_of(*started));
        VPNHA_CHECK(end_all(*started));
    }
    VPNHA_TRY(const auto within, enter_network_of(wanted));
    ::unlink(path("ending").c_str());
    VPNHA_CHECK(call(kind_->before_start, instance(wanted)));
    VPNHA_CHECK(write_started(wanted));
    return launch(wanted, patience);
}

bool StockService::is_running_as(const StockStarted& wanted) const {
    const auto within = enter_network_of(wanted);
    return within && read_started() == wanted && is_serving(wanted) && !is_ending();
}

Result<void> StockService::stop() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    return end(held->started);
}

Result<void> StockService::end(const StockStarted& started) const {
    VPNHA_CHECK(call(kind_->before_stop, instance(started)));
    VPNHA_CHECK(end_all(started));
    ::unlink(path("started").c_str());
    ::unlink(path("ending").c_str());
    return {};
}

bool StockService::is_ending() const {
    return ::access(path("ending").c_str(), F_OK) == 0;
}

Result<void> StockService::stop_later() {
    if (::access(path("started").c_str(), F_OK) != 0) {
        return {};
    }
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    if (!std::ofstream(path("ending"))) {
        return tl::unexpected(system_error("creating " + path("ending"), errno));
    }
    return {};
}

Result<bool> StockService::take_back() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    return held && is_serving(held->started) && ::unlink(path("ending").c_str()) == 0;
}

Result<StockService::State> StockService::status(Depth depth) const {
    VPNHA_TRY(const auto held, hold_started(LOCK_SH));
    if (!held || is_ending()) {
        return State::stopped;
    }
    if (!is_serving(held->started)) {
        return State::dead;
    }
    if (depth == Depth::answers) {
        VPNHA_CHECK(call(kind_->look_closely, instance(held->started)));
    }
    return State::running;
}

std::optional<StockService::Running> StockService::running() const {
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

Result<void> StockService::reset() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    return replace(held->started);
}

Result<void> StockService::release() {
    if (kind_->outlives_release && !is_ending()) {
        return {};
    }
    return reset();
}

Result<void> StockService::replace(const StockStarted& started) const {
    if (is_ending()) {
        return end(started);
    }
    VPNHA_CHECK(end_all(started));
    return launch(started);
}

Result<void> StockService::begin_reset() {
    VPNHA_TRY(const auto held, hold_started(LOCK_EX));
    if (!held) {
        return {};
    }
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (child == 0) {
        // Readers of its parent's output do not wait for its own end.
        leave_caller();
        ::_exit(replace(held->started) ? 0 : 1);
    }
    return {};
}

Result<void> StockService::wait_idle() const {
    if (::access(directory_.c_str(), F_OK) != 0) {
        return {};
    }
    return lock_directory(directory_, LOCK_SH).map([](const UniqueFd&) {});
}

}  // namespace vpnha::adapters
