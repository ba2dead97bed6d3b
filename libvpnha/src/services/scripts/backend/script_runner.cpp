// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/script_runner.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

namespace {

bool is_ipv6(Script script) {
    return script == Script::ipv6_up || script == Script::ipv6_down;
}

bool is_down(Script script) {
    return script == Script::ip_down || script == Script::ipv6_down;
}

// Errc::not_found: there is no such script here.
Result<void> run_script(const Command& command, std::chrono::milliseconds timeout, int stop) {
    if (::access(command.arguments[0].c_str(), X_OK) != 0) {
        return fail(Errc::not_found, {});
    }
    VPNHA_TRY(const int code, run_group_to_end(command, timeout, stop));
    if (code != 0) {
        return fail(Errc::system, fmt::format("exit code {}", code));
    }
    return {};
}

ScriptRunner::Outcome outcome_of(const Result<void>& result) {
    using End = ScriptRunner::End;
    if (result) {
        return {End::done, {}};
    }
    const Error& error = result.error();
    return {error.code == Errc::not_found ? End::missing
            : error.code == Errc::timeout ? End::killed
                                          : End::failed,
            error.detail};
}

}  // namespace

std::string_view name_of(Script script) {
    switch (script) {
        case Script::ip_up:
            return "ip-up";
        case Script::ip_down:
            return "ip-down";
        case Script::ipv6_up:
            return "ipv6-up";
        case Script::ipv6_down:
            return "ipv6-down";
    }
    return "";
}

std::string name_of_device(std::uint32_t number) {
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(number, name.data()) == nullptr ? std::string() : name.data();
}

Command command_of(const ScriptCall& call, const std::string& directory, TimePoint now) {
    const node::ScriptFacts& facts = call.facts;
    const std::string tty;  // A resumed session has none.
    const std::string speed = "0";
    const bool six = is_ipv6(call.script) && facts.ipv6;
    const std::string ours =
        six ? to_string(link_local_address(facts.ipv6->ours)) : to_string(facts.our_address);
    const std::string theirs =
        six ? to_string(link_local_address(facts.ipv6->theirs)) : to_string(facts.peer_address);
    std::vector<std::string> environment{"VPNHA_RESUMED=1",
                                         "DEVICE=" + tty,
                                         "IFNAME=" + call.interface,
                                         "SPEED=" + speed,
                                         "ORIG_UID=0",
                                         "PPPLOGNAME=root",
                                         "IPLOCAL=" + to_string(facts.our_address),
                                         "IPREMOTE=" + to_string(facts.peer_address)};
    if (!facts.user.empty()) {
        environment.push_back("PEERNAME=" + facts.user);
    }
    if (facts.ipv6) {
        environment.push_back("LLLOCAL=" + to_string(link_local_address(facts.ipv6->ours)));
        environment.push_back("LLREMOTE=" + to_string(link_local_address(facts.ipv6->theirs)));
    }
    if (is_down(call.script)) {
        const auto age = std::chrono::floor<std::chrono::seconds>(now - facts.established);
        environment.push_back(
            fmt::format("CONNECT_TIME={}", std::max<std::int64_t>(age.count(), 0)));
    }
    std::vector<std::string> arguments{fmt::format("{}/{}", directory, name_of(call.script)),
                                       call.interface,
                                       tty,
                                       speed,
                                       ours,
                                       theirs};
    if (!facts.ipparam.empty()) {
        arguments.push_back(facts.ipparam);
    }
    return {
        .arguments = std::move(arguments), .error_file = {}, .environment = std::move(environment)};
}

ScriptRunner::ScriptRunner(QbLoop& loop, Settings settings)
    : settings_(std::move(settings)), stop_(::eventfd(0, EFD_CLOEXEC)), background_(loop) {}

ScriptRunner::~ScriptRunner() {
    ::eventfd_write(stop_.get(), 1);
}

Result<void> ScriptRunner::run(const ScriptCall& call, Done done) {
    return background_.run(
        [command = command_of(call, settings_.directory, boot_time()), timeout = settings_.timeout,
         stop = stop_.get()] { return run_script(command, timeout, stop); },
        [done = std::move(done)](const Result<void>& result) { done(outcome_of(result)); });
}

}  // namespace vpnha::adapters
