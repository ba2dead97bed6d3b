// SPDX-License-Identifier: GPL-2.0-or-later
// fence_vpnha (FenceAgentAPI): a majority of the nodes takes a node's leases away. Off-only: there
// is nothing to switch on, and what ends a fenced life is the victim's next boot.
//
// Compiled, and with no library that it does not need: it runs on the path of every takeover.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/os/process.hpp"
#include "settings.hpp"
#include "undecided.hpp"
#include "ungated.hpp"
#include "vpnha/control.hpp"
#include "vpnha/version.hpp"

namespace vpnha::stonith {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Exit codes (FenceAgentAPI).
enum Code { ok = 0, failed = 1, is_off = 2 };

// vpnhad's own words about a fencing that takes too long come before this agent's patience ends.
constexpr auto kAnswerMargin = std::chrono::milliseconds(500);
constexpr auto kAskAgain = std::chrono::milliseconds(50);

Result<json> ask(const Settings& settings, const char* verb, const json& arguments,
                 std::chrono::milliseconds patience) {
    VPNHA_TRY(ControlClient client, ControlClient::connect(settings.socket, patience));
    VPNHA_TRY(const std::string answer, client.request(verb, arguments.dump()));
    return json::parse(answer, nullptr, false);
}

Result<json> ask(const Settings& settings, const char* verb, const json& arguments) {
    return ask(settings, verb, arguments, settings.timeout + kAnswerMargin);
}

Result<void> refuse_ungated(const Settings& settings) {
    if (settings.gated_only) {
        return {};
    }
    VPNHA_TRY(const std::vector<std::string> ids,
              find_ungated(settings.cibadmin_path, settings.timeout));
    if (ids.empty()) {
        return {};
    }
    return fail(Errc::unsupported,
                fmt::format("the cluster has resources without a gate of vpnha's ({}), and they "
                            "would run on; use power fencing, or set gated_only=1 if two of them "
                            "may run at once",
                            fmt::join(ids, ", ")));
}

Result<json> nodes(const Settings& settings, std::chrono::milliseconds patience) {
    VPNHA_TRY(const json answer, ask(settings, "nodes", json::object(), patience));
    if (!answer.is_object() || !answer.value("nodes", json()).is_array()) {
        return fail(Errc::malformed, "vpnhad did not answer with a list of nodes");
    }
    return answer["nodes"];
}

bool is_victim(const json& node, const Settings& settings) {
    return node.value("name", "") == settings.plug ||
           std::to_string(node.value("id", 0U)) == settings.plug;
}

// Both nodes see the same of each other: who serves more goes first, of equals that serve the one
// with the lower id. Who serves nothing always waits: it cannot know that nobody does.
bool goes_first(const json& self, const json& victim) {
    const auto ours = self.value("gateways", 0U);
    const auto theirs = victim.value("gateways", 0U);
    return ours > theirs ||
           (ours > 0 && ours == theirs && self.value("id", 0U) < victim.value("id", 0U));
}

// What is left of the delay. It counts from the loss, which both nodes notice together; a fencing
// that comes late for other reasons waits for nothing more. Error: mode=duel has decided.
Result<std::chrono::milliseconds> left_of_delay(const Settings& settings) {
    const Result<json> list = nodes(settings, settings.delay);
    if (!list) {
        return settings.delay;
    }
    const json* self = nullptr;
    const json* victim = nullptr;
    for (const json& node : *list) {
        self = node.value("self", false) ? &node : self;
        victim = is_victim(node, settings) ? &node : victim;
    }
    if (self == nullptr || victim == nullptr) {
        return settings.delay;
    }
    if (victim->value("won_duel", false)) {
        return fail(Errc::busy, fmt::format("the witness has this node marked, as {} has asked: "
                                            "that one is left, and is to switch this one off",
                                            settings.plug));
    }
    if (goes_first(*self, *victim)) {
        return std::chrono::milliseconds::zero();
    }
    const json lost = victim->value("lost_ms", json());
    const std::chrono::milliseconds gone(lost.is_number_unsigned() ? lost.get<std::int64_t>() : 0);
    return std::max(settings.delay - gone, std::chrono::milliseconds::zero());
}

// Before a power device, which decides; without an answer of vpnhad this node serves nobody.
Result<void> yield(const Settings& settings) {
    const auto begin = Clock::now();
    VPNHA_TRY(const std::chrono::milliseconds left, left_of_delay(settings));
    std::this_thread::sleep_until(begin + left);
    return {};
}

// Behind a power device: the victim's vpnhad may be a member until its death is noticed.
Result<void> confirm(const Settings& settings) {
    const auto deadline = Clock::now() + settings.timeout;
    for (;;) {
        const Result<json> done =
            ask(settings, "confirm_dead", {{"node", settings.plug}, {"by", "device"}});
        if (done || done.error().code != Errc::busy || Clock::now() > deadline) {
            return done.map([](const json&) {});
        }
        std::this_thread::sleep_for(kAskAgain);
    }
}

Result<void> revoke(const Settings& settings) {
    return ask(settings, "fence",
               {{"node", settings.plug}, {"timeout_ms", settings.timeout.count()}})
        .map([](const json&) {});
}

Result<void> off(const Settings& settings) {
    std::this_thread::sleep_for(settings.wait);
    if (settings.mode == Mode::duel) {
        return revoke(settings);
    }
    if (settings.mode == Mode::confirm) {
        return confirm(settings);
    }
    if (settings.mode == Mode::yield) {
        return yield(settings);
    }
    // Beside the marks, which take longer: while the ring forms anew Pacemaker takes up to a second
    // to show its configuration. A refusal comes too late to leave the victim alone; it was to be
    // off, and power is next.
    std::future<Result<void>> looked =
        std::async(std::launch::async, [&settings] { return refuse_ungated(settings); });
    Result<void> fenced = revoke(settings);
    VPNHA_CHECK(looked.get());
    return fenced;
}

Result<void> refuse_without_status(const Settings& settings) {
    if (settings.mode != Mode::revoke) {
        return fail(Errc::unsupported, "only the power device knows whether the node is off");
    }
    return {};
}

Result<Code> status(const Settings& settings) {
    VPNHA_CHECK(refuse_without_status(settings));
    VPNHA_TRY(const json list, nodes(settings, settings.timeout));
    for (const json& node : list) {
        if (is_victim(node, settings)) {
            return node.value("fenced", false) ? Code::is_off : Code::ok;
        }
    }
    return fail(Errc::not_found, "corosync.conf has no such node");
}

// Pacemaker starts this device before it starts vpnhad: no daemon is no failure.
Result<void> monitor(const Settings& settings) {
    VPNHA_CHECK(settings.mode == Mode::revoke
                    ? refuse_ungated(settings)
                    : refuse_undecided(settings.cibadmin_path, settings.timeout));
    const Result<json> answer = ask(settings, "ping", json::object());
    if (!answer && answer.error().code != Errc::unreachable) {
        return tl::unexpected(answer.error());
    }
    return {};
}

// Each node, its alias, which it has not, and with `with_status` whether it is off.
Result<void> list(const Settings& settings, bool with_status) {
    VPNHA_TRY(const json found, nodes(settings, settings.timeout));
    for (const json& node : found) {
        const char* const is_off = node.value("fenced", false) ? ",OFF" : ",ON";
        fmt::print("{},{}\n", node.value("name", ""), with_status ? is_off : "");
    }
    return {};
}

Result<Code> perform(const Settings& settings) {
    const std::string& action = settings.action;
    const bool is_about_a_node = action == "off" || action == "status";
    if (is_about_a_node && settings.plug.empty()) {
        return fail(Errc::invalid_argument, "it needs plug, the node that is meant");
    }
    const auto ok = [] { return Code::ok; };
    if (action == "off") {
        return off(settings).map(ok);
    }
    if (action == "status") {
        return status(settings);
    }
    if (action == "monitor") {
        return monitor(settings).map(ok);
    }
    if (action == "list") {
        return list(settings, false).map(ok);
    }
    if (action == "list-status") {
        VPNHA_CHECK(refuse_without_status(settings));
        return list(settings, true).map(ok);
    }
    if (action == "metadata") {
        std::fputs(metadata().c_str(), stdout);
        return Code::ok;
    }
    if (action == "validate-all") {
        return Code::ok;
    }
    return fail(Errc::unsupported,
                "this agent only takes leases away: off; set "
                "pcmk_reboot_action=off");
}

Result<Code> run(int count, char** words) {
    VPNHA_TRY(const Given given, count > 1 ? read_options(count, words) : read_lines(std::cin));
    VPNHA_TRY(const Settings settings, settings_of(given));
    if (settings.help) {
        std::fputs(usage().c_str(), stdout);
        return Code::ok;
    }
    if (settings.version) {
        fmt::print("fence_vpnha {}\n", version());
        return Code::ok;
    }
    Result<Code> code = perform(settings);
    if (!code) {
        code.error().detail =
            fmt::format("{} {}: {}", settings.action, settings.plug, code.error().detail);
    }
    return code;
}

}  // namespace

}  // namespace vpnha::stonith

int main(int count, char** words) try {
    const auto code = vpnha::stonith::run(count, words);
    vpnha::adapters::close_output_after_end();
    if (!code) {
        std::fprintf(stderr, "fence_vpnha: %s\n", code.error().detail.c_str());
        return vpnha::stonith::Code::failed;
    }
    return *code;
} catch (const std::exception& error) {
    std::fprintf(stderr, "fence_vpnha: %s\n", error.what());
    return vpnha::stonith::Code::failed;
}
