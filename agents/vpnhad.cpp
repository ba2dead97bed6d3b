// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnhad.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "adapters/fenced_file.hpp"
#include "adapters/process.hpp"

namespace vpnha::agents {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

// Below the actions' timeouts of 20 s, so that the reason is ours and not Pacemaker's.
constexpr auto kAnswerTimeout = 12s;
constexpr auto kStartTimeout = 15s;
constexpr auto kEndTimeout = 5s;
constexpr auto kPollInterval = 5ms;
constexpr const char* kMarks = "/run/vpnha/started";
constexpr const char* kErrors = "/run/vpnha/vpnhad.errors";
// In the mark: since vpnhad's death nothing of the gateway speaks on this node. A stop that follows
// a demotion need not see to it again.
constexpr std::string_view kSilenced = "silenced";
constexpr std::string_view kSpared = "silenced, one monitor spared";

std::string last_line(const std::string& path) {
    std::ifstream file(path);
    std::string last;
    for (std::string line; std::getline(file, line);) {
        last = line.empty() ? last : line;
    }
    return last;
}

Result<void> make_directory(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
        return tl::unexpected(system_error("creating " + path.string(), error.value()));
    }
    return {};
}

Result<std::vector<adapters::Process>> daemons(const std::string& binary) {
    VPNHA_TRY(std::vector<adapters::Process> all, adapters::list_processes());
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&binary](const adapters::Process& process) {
                                 return process.arguments.empty() || process.arguments[0] != binary;
                             }),
              all.end());
    return all;
}

// Runs a program that needs libraries which an agent should not pay for at each of its starts.
Result<void> run_program(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    pid_t child = -1;
    if (const int error = ::posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ);
        error != 0) {
        return tl::unexpected(system_error("starting " + arguments[0], error));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return fail(Errc::system,
                    fmt::format("{} ended with exit code {}; its words stand above", arguments[0],
                                WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    }
    return {};
}

}  // namespace

bool is_lame(const std::string& socket, const std::string& gateway) {
    auto client = ControlClient::connect(socket, kAnswerTimeout);
    if (!client) {
        return false;
    }
    json arguments = json::object();
    if (!gateway.empty()) {
        arguments["gateway"] = gateway;
    }
    const auto answer = client->request("monitor", arguments.dump());
    const json state = answer ? json::parse(*answer, nullptr, false) : json();
    return state.is_object() && state.value("lame", false);
}

ocf::Outcome refused_if_fenced(const ocf::Call& call) {
    return adapters::is_fenced(call.parameter("socket"))
               ? ocf::Outcome{ocf::Code::error, adapters::fenced_error().detail}
               : ocf::Outcome{};
}

Vpnhad::Vpnhad(const ocf::Call& call)
    : gateway_(call.parameter("gateway")),
      resource_(call.instance()),
      config_(call.parameter("config")),
      binary_(call.parameter("binary")),
      socket_(call.parameter("socket")),
      log_file_(call.parameter("log_file")) {}

std::string Vpnhad::arguments(bool probe) const {
    json arguments{{"resource", resource_}};
    if (probe) {
        arguments["probe"] = true;
    }
    if (!gateway_.empty()) {
        arguments["gateway"] = gateway_;
    }
    return arguments.dump();
}

Result<std::string> Vpnhad::request(std::string_view verb) const {
    return ask(verb, arguments(false));
}

Result<std::string> Vpnhad::monitor(bool probe) const {
    return ask("monitor", arguments(probe));
}

Result<std::string> Vpnhad::ask(std::string_view verb, const std::string& arguments) const {
    const auto deadline = steady_clock::now() + kAnswerTimeout;
    for (;;) {
        VPNHA_TRY(ControlClient client, ControlClient::connect(socket_, kAnswerTimeout));
        Result<std::string> answer = client.request(verb, arguments);
        if (answer || answer.error().code != Errc::busy || steady_clock::now() > deadline) {
            return answer;
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<void> Vpnhad::ensure_running() const {
    if (request("ping")) {
        return {};
    }
    VPNHA_CHECK(make_directory(kMarks));
    VPNHA_CHECK(make_directory(std::filesystem::path(log_file_).parent_path()));
    VPNHA_TRY(const pid_t pid, adapters::spawn_detached({.arguments = {binary_, "--config", config_,
                                                                       "--log-file", log_file_},
                                                         .error_file = kErrors}));
    const auto deadline = steady_clock::now() + kStartTimeout;
    while (!request("ping")) {
        if (!adapters::read_process(pid)) {
            return fail(Errc::system, fmt::format("vpnhad ended at once: {} (more in {})",
                                                  last_line(kErrors), log_file_));
        }
        if (steady_clock::now() > deadline) {
            return fail(Errc::timeout, fmt::format("vpnhad (process {}) does not answer at {}; its "
                                                   "log is {}",
                                                   pid, socket_, log_file_));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
    return {};
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
        VPNHA_TRY(const auto left, daemons(binary_));
        if (left.empty()) {
            return {};
        }
        if (steady_clock::now() > deadline) {
            return fail(Errc::timeout, fmt::format("vpnhad (process {}) was detached but does not "
                                                   "end",
                                                   left[0].pid));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Result<void> Vpnhad::silence_without_it() const {
    VPNHA_TRY(const auto left, daemons(binary_));
    if (left.empty() && is_silenced()) {
        return {};
    }
    VPNHA_CHECK(adapters::kill_and_wait(left, kEndTimeout));
    VPNHA_CHECK(run_program({VPNHA_SILENCE_PROGRAM, config_, gateway_}));
    return is_marked() ? write_mark(kSilenced) : Result<void>{};
}

std::string Vpnhad::mark_file() const {
    return fmt::format("{}/{}", kMarks, resource_);
}

bool Vpnhad::is_marked() const {
    return ::access(mark_file().c_str(), F_OK) == 0;
}

bool Vpnhad::is_silenced() const {
    const std::string state = last_line(mark_file());
    return state == kSilenced || state == kSpared;
}

bool Vpnhad::spares_monitor() const {
    return last_line(mark_file()) == kSilenced && write_mark(kSpared);
}

Result<void> Vpnhad::mark() const {
    return write_mark("");
}

Result<void> Vpnhad::write_mark(std::string_view state) const {
    VPNHA_CHECK(make_directory(kMarks));
    std::ofstream file(mark_file());
    if (!(file << state << std::flush)) {
        return tl::unexpected(system_error("writing " + mark_file(), errno));
    }
    return {};
}

void Vpnhad::unmark() const {
    ::unlink(mark_file().c_str());
}

}  // namespace vpnha::agents
