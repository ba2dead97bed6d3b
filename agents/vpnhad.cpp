// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnhad.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/lease/fenced_file.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/program_output.hpp"
#include "host/os/text_file.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::agents {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

// For all answers that an action waits for. Less than kActionTimeout, so that the reason is the
// agent's and not Pacemaker's.
constexpr auto kAnswerTimeout = 12s;
constexpr auto kEndTimeout = 5s;
// A vpnhad that lives answers a ping within a turn of its loop, which is milliseconds. After this
// the agent looks whether the gate is shut.
constexpr auto kPingPatience = 50ms;
// For a vpnhad of a promoted node whose gate is shut. Another node may serve in its place by now,
// and it has daemons to end and addresses to remove meanwhile. Its end would cost a replica.
constexpr auto kShutPatience = 1s;
// A vpnhad that stands still for 0.9 s comes back, and its sessions with it: a standby waits as
// long before it serves in its place (cluster/gateway/watch/holder_pulse.hpp).
constexpr auto kMonitorPatience = 1200ms;
constexpr auto kStandbyPatience = 1s;
// More than SIGKILL takes to end what does not hang in the kernel.
constexpr auto kDeathPatience = 200ms;
constexpr auto kSessionsPatience = 1s;
constexpr auto kNetnsPatience = 2s;
// A stop that lasts longer than Pacemaker waits for it has its node fenced. The second is for the
// silencing itself.
static_assert(kAnswerTimeout + kSessionsPatience + kEndTimeout + kDeathPatience + 1s <
              kActionTimeout);
constexpr auto kPollInterval = 5ms;
constexpr const char* kMarks = "/run/vpnha/started";
constexpr const char* kErrors = "/run/vpnha/vpnhad.errors";  // vpnhad.service names it, too.
// Where systemd is the first process (sd_booted(3)), it starts vpnhad: limits and what the daemon
// may touch are the unit's.
constexpr const char* kSystemd = "/run/systemd/system";
constexpr const char* kUnit = "vpnhad.service";
constexpr const char* kUnitGroup = "vpnha";
constexpr const char* kUnitBinary = "/usr/sbin/vpnhad";
constexpr const char* kUnitEnvironment = "/run/vpnha/vpnhad.environment";
// For all attempts to silence the gateway. Longer than any lease, so behind it the gate is shut.
constexpr auto kSilencePatience = 2s;
constexpr auto kGateLookPatience = 500ms;
// A restarted vpnhad that makes the node silent at its start may be at the same devices.
constexpr int kSilenceAttempts = 3;

Result<void> make_directory(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
        return tl::unexpected(system_error("creating " + path.string(), error.value()));
    }
    return {};
}

template <class Wanted>
Result<std::vector<adapters::Process>> processes(const Wanted& wanted) {
    VPNHA_TRY(std::vector<adapters::Process> all, adapters::list_processes());
    std::erase_if(all, [&wanted](const adapters::Process& process) { return !wanted(process); });
    return all;
}

// What silence-gateway prints when it cannot rely on the gate.
constexpr std::string_view kUngated = "ungated";

// Runs a program that needs libraries which an agent should not pay for at each of its starts. A
// program that holds on in the kernel is killed after `patience`, and not waited for: error
// timeout. `patience` no longer counts once the program has printed kUngated.
Result<void> run_program(const std::vector<std::string>& arguments,
                         std::chrono::milliseconds patience) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return tl::unexpected(system_error("pipe", errno));
    }
    const adapters::UniqueFd reading(ends[0]);
    adapters::UniqueFd writing(ends[1]);
    const std::vector<char*> argv = adapters::pointers_to(arguments);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return tl::unexpected(system_error("starting " + arguments[0], error));
    }
    const auto deadline = steady_clock::now() + patience;
    int status = 0;
    std::string printed;
    for (;;) {
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended != 0 && !(ended < 0 && errno == EINTR)) {
            break;
        }
        std::array<char, 64> buffer{};
        if (const ssize_t got = ::read(reading.get(), buffer.data(), buffer.size()); got > 0) {
            printed.append(buffer.data(), static_cast<std::size_t>(got));
        }
        if (steady_clock::now() > deadline && printed.find(kUngated) == std::string::npos) {
            ::kill(child, SIGKILL);
            return fail(Errc::timeout, fmt::format("{} does not end", arguments[0]));
        }
        std::this_thread::sleep_for(1ms);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return fail(Errc::system,
                    fmt::format("{} ended with exit code {}; its output is above", arguments[0],
                                WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    }
    return {};
}

}  // namespace

ocf::Parameter gateway_parameter() {
    return {.name = "gateway",
            .required = true,
            .unique_group = "gateway",
            .short_text = "Gateway",
            .long_text = "The gateway's name in vpnha.toml."};
}

ocf::Parameter socket_parameter() {
    return {.name = "socket",
            .default_value = kControlSocketPath,
            .reloadable = true,
            .short_text = "Control socket",
            .long_text = "Where vpnhad listens, as in its configuration."};
}

ocf::Parameter vpnha_config_parameter() {
    return {.name = "vpnha_config",
            .default_value = "/etc/vpnha/vpnha.toml",
            .reloadable = true,
            .short_text = "vpnha.toml",
            .long_text =
                "vpnhad's configuration. Where the gateway has a 'netns' there, the "
                "resource works in that network namespace, which has to be there before "
                "it starts."};
}

Result<std::string> netns_of(const ocf::Call& call) {
    const std::string config = call.parameter("vpnha_config");
    if (::access(config.c_str(), F_OK) != 0) {
        return std::string();
    }
    VPNHA_TRY(const adapters::Printed printed,
              adapters::printed_by({VPNHA_NETNS_PROGRAM, config, call.parameter("gateway")},
                                   kNetnsPatience));
    if (printed.code != 0) {
        return fail(Errc::invalid_config,
                    fmt::format("{} cannot be read, or has no gateway '{}'; 'vpnha doctor' reports "
                                "what is wrong",
                                config, call.parameter("gateway")));
    }
    return printed.text.substr(0, printed.text.find('\n'));
}

ocf::Outcome in_network(const ocf::Call& call,
                        const std::function<ocf::Outcome(const std::string& netns)>& work) {
    const auto netns = netns_of(call);
    if (!netns) {
        return ocf::outcome_of(netns.error());
    }
    const auto network = adapters::NetworkNamespace::open(*netns);
    if (!network) {
        return ocf::outcome_of(network.error());
    }
    const adapters::InNetwork within(*network);
    return work(*netns);
}

Sessions sessions_here(const std::string& socket, const std::string& gateway) {
    auto client = ControlClient::connect(socket, kSessionsPatience);
    if (!client) {
        return Sessions::none;
    }
    json arguments = json::object();
    if (!gateway.empty()) {
        arguments["gateway"] = gateway;
    }
    const auto answer = client->request("monitor", arguments.dump());
    const json state = answer ? json::parse(*answer, nullptr, false) : json();
    if (!state.is_object()) {
        return Sessions::none;
    }
    return state.value("draining", false)          ? Sessions::draining
           : state.value("kept", false)            ? Sessions::kept
           : state.value("role", "") == "promoted" ? Sessions::served
                                                   : Sessions::none;
}

ocf::Outcome refused_if_fenced(const ocf::Call& call) {
    return adapters::is_fenced(call.parameter("socket"))
               ? ocf::Outcome{ocf::Code::error, adapters::fenced_error().detail}
               : ocf::Outcome{};
}

ocf::Outcome reload_later(const ocf::Call& call, const ocf::Outcome& valid) {
    if (valid.code != ocf::Code::success) {
        call.log(ocf::Level::error, "the next start on this node will fail: " + valid.reason);
    }
    call.log(ocf::Level::warning,
             "changed parameters are used from the next start on this node on; for a start, put "
             "the node into standby and back, one node after the other");
    return {};
}

std::chrono::milliseconds start_patience(const ocf::Call& call, std::chrono::seconds margin) {
    return std::max(call.timeout() - margin, call.timeout() / 2);
}

Vpnhad::Vpnhad(const ocf::Call& call)
    : gateway_(call.parameter("gateway")),
      resource_(call.instance()),
      config_(call.parameter("config")),
      binary_(call.parameter("binary")),
      socket_(call.parameter("socket")),
      log_file_(call.parameter("log_file")),
      start_by_(steady_clock::now() + start_patience(call)),
      answer_by_(steady_clock::now() + kAnswerTimeout) {
    if (call.action() == "start") {
        return;
    }
    const json mark = json::parse(std::ifstream(mark_file()), nullptr, false);
    if (mark.is_object()) {
        config_ = mark.value("config", config_);
        binary_ = mark.value("binary", binary_);
        socket_ = mark.value("socket", socket_);
        log_file_ = mark.value("log_file", log_file_);
    }
}

bool Vpnhad::continues() const {
    const Sessions sessions = sessions_here(socket_, gateway_);
    return sessions == Sessions::draining || sessions == Sessions::kept;
}

std::string Vpnhad::arguments(std::string_view verb, bool probe) const {
    json arguments{{"resource", resource_}};
    if (probe) {
        arguments["probe"] = true;
    }
    if (verb == "attach") {
        arguments["config"] = config_;
        arguments["log_file"] = log_file_;
    }
    if (!gateway_.empty()) {
        arguments["gateway"] = gateway_;
    }
    return arguments.dump();
}

Result<std::string> Vpnhad::request(std::string_view verb) const {
    return ask(verb, arguments(verb, false));
}

Result<std::string> Vpnhad::monitor(bool probe) const {
    const auto until = steady_clock::now() + kMonitorPatience;
    for (;;) {
        // One that a signal has stopped is named at once, and may continue a moment later.
        Result<std::string> answer = ask("monitor", arguments("monitor", probe));
        if (answer || answer.error().code != Errc::timeout || steady_clock::now() > until) {
            return answer;
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<std::string> Vpnhad::ask(std::string_view verb, const std::string& arguments) const {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(answer_by_ - steady_clock::now());
        VPNHA_TRY(ControlClient client, ControlClient::connect(socket_, left));
        Result<std::string> answer = client.request(verb, arguments);
        if (answer || answer.error().code != Errc::busy || steady_clock::now() > answer_by_) {
            return answer;
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<std::vector<adapters::Process>> Vpnhad::daemons() const {
    return processes([this](const adapters::Process& process) {
        return !process.arguments.empty() && process.arguments[0] == binary_;
    });
}

Result<std::vector<adapters::Process>> Vpnhad::keepers() const {
    return processes([this](const adapters::Process& process) {
        return process.arguments.size() > 1 && process.arguments[0] == VPNHA_KEEP_PROGRAM &&
               process.arguments[1] == binary_;
    });
}

Result<unsigned> Vpnhad::ensure_running() {
    std::optional<pid_t> keeper;
    for (;;) {
        if (const auto answer = request("ping")) {
            const json pong = json::parse(*answer, nullptr, false);
            answer_by_ = steady_clock::now() + kAnswerTimeout;
            return pong.is_object() ? pong.value("restarts", 0U) : 0U;
        }
        if (keeper && !adapters::read_process(*keeper)) {
            return fail(Errc::system, fmt::format("vpnhad ended at once: {} (more in {})",
                                                  adapters::last_line(kErrors), log_file_));
        }
        if (!keeper) {
            VPNHA_TRY(const auto earlier, keepers());
            if (earlier.empty()) {
                VPNHA_TRY(keeper, start_keeper());
            }
        }
        if (steady_clock::now() > start_by_) {
            return fail(Errc::timeout, fmt::format("vpnhad does not answer at {}; its log is {}",
                                                   socket_, log_file_));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<pid_t> Vpnhad::start_keeper() const {
    VPNHA_CHECK(make_directory(kMarks));
    VPNHA_CHECK(make_directory(std::filesystem::path(log_file_).parent_path()));
    if (binary_ == kUnitBinary && ::access(kSystemd, F_OK) == 0) {
        return start_unit();
    }
    return adapters::spawn_detached(
        {.arguments = {VPNHA_KEEP_PROGRAM, binary_, "--config", config_, "--log-file", log_file_},
         .error_file = kErrors});
}

Result<pid_t> Vpnhad::start_unit() const {
    // systemd names neither the group nor the way out: status=216/GROUP.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the agent has one thread.
    if (::getgrnam(kUnitGroup) == nullptr) {
        return fail(Errc::unsupported,
                    fmt::format("there is no group '{}', which {} runs with: 'systemd-sysusers "
                                "vpnha.conf' makes it",
                                kUnitGroup, kUnit));
    }
    std::ofstream file(kUnitEnvironment);
    if (!(file << fmt::format("VPNHAD_CONFIG=\"{}\"\nVPNHAD_LOG=\"{}\"\n", config_, log_file_)
               << std::flush)) {
        return tl::unexpected(system_error(fmt::format("writing {}", kUnitEnvironment), errno));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(start_by_ - steady_clock::now());
    VPNHA_TRY(const adapters::Ended ended,
              adapters::run_to_end({.arguments = {"/usr/bin/systemctl", "start", kUnit}},
                                   std::max(left, 0ms)));
    if (ended.code != 0) {
        return fail(Errc::system, fmt::format("systemctl start {}: {}", kUnit, ended.errors));
    }
    VPNHA_TRY(const auto started, keepers());
    if (started.empty()) {
        return fail(Errc::system, fmt::format("vpnhad ended at once: {} (more in {})",
                                              adapters::last_line(kErrors), log_file_));
    }
    return started[0].pid;
}

bool Vpnhad::serves_others() const {
    const auto answer = request("status");
    const json status = answer ? json::parse(*answer, nullptr, false) : json();
    if (!status.is_object() || !status.contains("gateways")) {
        return false;
    }
    return std::any_of(status["gateways"].begin(), status["gateways"].end(),
                       [](const json& gateway) { return gateway.value("role", "") != "detached"; });
}

Result<void> Vpnhad::wait_ended() const {
    if (serves_others()) {
        return {};
    }
    const auto deadline = steady_clock::now() + kEndTimeout;
    for (;;) {
        VPNHA_TRY(const auto left, daemons());
        VPNHA_TRY(const auto kept_by, keepers());
        if (left.empty() && kept_by.empty()) {
            return {};
        }
        if (steady_clock::now() > deadline) {
            return fail(Errc::timeout, fmt::format("vpnhad (process {}) was detached but does not "
                                                   "end",
                                                   (left.empty() ? kept_by : left)[0].pid));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<std::vector<adapters::Process>> Vpnhad::victims() const {
    const Mark mark = read_mark();
    if (mark.process == 0) {
        return daemons();  // A start that did not come to its end: whatever runs there.
    }
    return processes([&mark](const adapters::Process& process) {
        return process.pid == mark.process && process.start_ticks == mark.start_ticks;
    });
}

bool Vpnhad::hangs() const {
    if (!is_promoted()) {
        return hangs(kStandbyPatience);
    }
    return hangs(kPingPatience) && (is_stopped() || hangs(kShutPatience));
}

bool Vpnhad::is_stopped() const {
    const auto process = adapters::read_process(read_mark().process);
    return process && process->stopped;
}

bool Vpnhad::hangs_promoted() const {
    return is_promoted() && hangs(kMonitorPatience);
}

bool Vpnhad::hangs(std::chrono::milliseconds patience) const {
    const auto until = steady_clock::now() + patience;
    for (;;) {
        auto client = ControlClient::connect(socket_, patience);
        const auto answer = client ? client->request("ping", "{}")
                                   : Result<std::string>(tl::unexpected(client.error()));
        if (answer || answer.error().code != Errc::timeout) {
            return false;
        }
        if (steady_clock::now() < until) {
            std::this_thread::sleep_for(kPollInterval);
            continue;
        }
        // While the gate is open its rounds continue, and it is only slow.
        if (steady_clock::now() > answer_by_ || !is_gate_open()) {
            return true;
        }
    }
}

bool Vpnhad::is_gate_open() const {
    return run_program({VPNHA_SILENCE_PROGRAM, "--is-open", config_, gateway_}, kGateLookPatience)
        .has_value();
}

Result<void> Vpnhad::silence_without_it() const {
    if (is_silenced()) {
        return {};
    }
    // Another node's promotion waits for this. The vpnhad that is started next does not hurry: it
    // abstains for longer than it takes to start.
    if (const Result<void> preferred = adapters::prefer_this_process(); !preferred) {
        std::fprintf(stderr, "%s\n", preferred.error().detail.c_str());
    }
    VPNHA_TRY(const auto left, victims());
    // One that is left hangs in the kernel. It runs no instruction of its own any more, so what is
    // shut now stays shut.
    const Result<void> killed = adapters::kill_and_wait(left, kDeathPatience);
    if (!killed && killed.error().code != Errc::timeout) {
        return killed;
    }
    Result<void> silenced;
    const auto silent_by = steady_clock::now() + kSilencePatience;
    for (int attempt = 0; attempt < kSilenceAttempts; ++attempt) {
        const auto rest =
            std::chrono::ceil<std::chrono::milliseconds>(silent_by - steady_clock::now());
        silenced = run_program({VPNHA_SILENCE_PROGRAM, config_, gateway_}, rest);
        if (silenced || silenced.error().code == Errc::timeout) {
            break;
        }
    }
    if (!silenced && silenced.error().code == Errc::timeout) {
        // The kernel holds it up, as where a device is never freed. Nobody renews the lease any
        // more, and its end has shut the gate: that is silence.
        std::fprintf(stderr,
                     "%s: the addresses stay on this node behind the shut gate, because the kernel "
                     "does not answer\n",
                     silenced.error().detail.c_str());
        silenced = {};
    }
    VPNHA_CHECK(silenced);
    if (!is_marked()) {
        return {};
    }
    Mark mark = read_mark();
    mark.is_promoted = false;
    mark.is_silenced = true;
    mark.is_spared = false;
    return write_mark(mark);
}

std::string Vpnhad::mark_file() const {
    return fmt::format("{}/{}", kMarks, resource_);
}

bool Vpnhad::is_marked() const {
    return ::access(mark_file().c_str(), F_OK) == 0;
}

bool Vpnhad::has_attached() const {
    return read_mark().process != 0;
}

bool Vpnhad::has_died() const {
    const Mark mark = read_mark();
    if (mark.process == 0) {
        return false;
    }
    const auto process = adapters::read_process(mark.process);
    return !process || process->start_ticks != mark.start_ticks;
}

bool Vpnhad::is_silenced() const {
    return read_mark().is_silenced;
}

bool Vpnhad::is_promoted() const {
    return read_mark().is_promoted;
}

void Vpnhad::note_role(bool promoted) const {
    Mark mark = read_mark();
    mark.is_promoted = promoted;
    mark.is_spared = false;
    // It only tells how long to wait for an answer, so no transition fails for it.
    (void)write_mark(mark);
}

bool Vpnhad::spares_monitor() const {
    Mark mark = read_mark();
    if ((!mark.is_promoted && !mark.is_silenced) || mark.is_spared) {
        return false;
    }
    mark.is_spared = true;
    return write_mark(mark).has_value();
}

Result<void> Vpnhad::mark() const {
    return write_mark({});
}

Result<void> Vpnhad::note_process(const std::string& attached) const {
    const json answer = json::parse(attached, nullptr, false);
    const auto process =
        adapters::read_process(answer.is_object() ? answer.value("process", pid_t{}) : 0);
    if (!process) {
        return fail(Errc::unreachable, "vpnhad has died right after its start");
    }
    return write_mark({.process = process->pid, .start_ticks = process->start_ticks});
}

Vpnhad::Mark Vpnhad::read_mark() const {
    std::ifstream file(mark_file());
    const json text = json::parse(file, nullptr, false);
    if (!text.is_object()) {
        return {};
    }
    return {.process = text.value("process", pid_t{}),
            .start_ticks = text.value("start_ticks", std::uint64_t{}),
            .is_promoted = text.value("promoted", false),
            .is_silenced = text.value("silenced", false),
            .is_spared = text.value("spared", false)};
}

Result<void> Vpnhad::write_mark(const Mark& mark) const {
    VPNHA_CHECK(make_directory(kMarks));
    const json text{{"process", mark.process},
                    {"start_ticks", mark.start_ticks},
                    {"promoted", mark.is_promoted},
                    {"silenced", mark.is_silenced},
                    {"spared", mark.is_spared},
                    {"config", config_},
                    {"binary", binary_},
                    {"socket", socket_},
                    {"log_file", log_file_}};
    std::ofstream file(mark_file());
    if (!(file << text.dump() << std::flush)) {
        return tl::unexpected(system_error("writing " + mark_file(), errno));
    }
    return {};
}

void Vpnhad::unmark() const {
    ::unlink(mark_file().c_str());
}

}  // namespace vpnha::agents
