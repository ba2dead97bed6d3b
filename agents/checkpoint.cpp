// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:checkpoint: a gateway as Pacemaker sees it. Promotable: unpromoted is a standby that
// holds the replica, promoted serves. All work is vpnhad's; the agent starts and ends it, passes on
// what Pacemaker decided, and makes the node silent when vpnhad no longer can.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "agents.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using nlohmann::json;
using ocf::Call;
using ocf::Code;
using ocf::Level;
using ocf::Outcome;

constexpr const char* kDied = "vpnhad has died; see its log";

Outcome validate(const Call& call) {
    if (::access(call.parameter("binary").c_str(), X_OK) != 0) {
        return {Code::installed,
                call.parameter("binary") + " is not installed; install the package vpnha"};
    }
    if (::access(call.parameter("config").c_str(), R_OK) != 0) {
        return {Code::arguments, call.parameter("config") + " cannot be read; write it first"};
    }
    return {};
}

Outcome start(const Call& call) {
    if (Outcome outcome = validate(call); outcome.code != Code::success) {
        return outcome;
    }
    if (Outcome outcome = refused_if_fenced(call); outcome.code != Code::success) {
        return outcome;
    }
    Vpnhad vpnhad(call);
    Result<void> done;
    // A vpnhad that was draining when it was stopped may end between two questions: then another
    // one.
    for (int attempt = 0; attempt < 2; ++attempt) {
        done = vpnhad.mark()
                   .and_then([&vpnhad] { return vpnhad.ensure_running(); })
                   .and_then([attempt](unsigned restarts) -> Result<void> {
                       // It died of what it was told first, and would do so again.
                       return attempt > 0 && restarts > 0
                                  ? fail(Errc::system, "vpnhad died when it took the gateway")
                                  : Result<void>{};
                   });
        if (done) {
            done = vpnhad.request("attach").and_then(
                [&vpnhad](const std::string& answer) { return vpnhad.note_process(answer); });
        }
        if (done || done.error().code != Errc::unreachable) {
            break;
        }
    }
    return done ? Outcome{} : ocf::outcome_of(done.error());
}

// A vpnhad that has died, whether or not another one runs by now, or that hangs. The first monitor
// keeps this to itself. Of a promoted one the standbys tell Pacemaker sooner, by its score. Behind
// a demotion that had to silence it, the instance is what it ought to be. In both cases a failure
// would have Pacemaker think anew, 0.3 s and more, before it promotes the next node.
Outcome report_failure(const Call& call, const Vpnhad& vpnhad, const char* what) {
    const Outcome as_wanted{vpnhad.is_promoted() ? Code::promoted : Code::success};
    return !call.is_probe() && vpnhad.spares_monitor() ? as_wanted : Outcome{Code::error, what};
}

Outcome monitor(const Call& call) {
    const Vpnhad vpnhad(call);
    if (vpnhad.has_died()) {
        return report_failure(call, vpnhad, kDied);
    }
    if (vpnhad.hangs_promoted()) {
        return report_failure(call, vpnhad, "vpnhad hangs, and its gate is shut");
    }
    const auto answer = vpnhad.monitor(call.is_probe());
    if (answer) {
        const json state = json::parse(*answer, nullptr, false);
        if (!state.is_object() || !state.value("attached", false)) {
            return {Code::not_running};
        }
        return {state.value("role", "") == "promoted" ? Code::promoted : Code::success};
    }
    if (answer.error().code != Errc::unreachable) {
        return ocf::outcome_of(answer.error());
    }
    return vpnhad.is_marked() ? report_failure(call, vpnhad, kDied) : Outcome{Code::not_running};
}

Outcome promote(const Call& call) {
    const Vpnhad vpnhad(call);
    if (vpnhad.has_died()) {
        return {Code::error, kDied};
    }
    const auto done = vpnhad.request("promote");
    if (done) {
        vpnhad.note_role(true);
        return {};
    }
    // It may be this promotion by which the node learned of it.
    const Outcome fenced = refused_if_fenced(call);
    return fenced.code == Code::success ? ocf::outcome_of(done.error()) : fenced;
}

enum class Silenced { by_vpnhad, without_it };

// Asks the daemon; a dead or deaf one is replaced by force, for silence is what counts.
Result<Silenced> ask_or_silence(const Call& call, const Vpnhad& vpnhad, const char* verb) {
    Result<void> done;
    if (vpnhad.is_silenced() || vpnhad.has_died()) {
        done = fail(Errc::unreachable, "it has died");
    } else if (vpnhad.hangs()) {
        done = fail(Errc::timeout, "it hangs");
    } else {
        done = vpnhad.request(verb).map([&vpnhad](const std::string&) { vpnhad.note_role(false); });
    }
    if (done) {
        return Silenced::by_vpnhad;
    }
    call.log(Level::warning, "silencing the gateway without vpnhad: " + done.error().detail);
    return vpnhad.silence_without_it().map([] { return Silenced::without_it; });
}

Outcome demote(const Call& call) {
    const auto silent = ask_or_silence(call, Vpnhad(call), "demote");
    return silent ? Outcome{} : Outcome{Code::error, silent.error().detail};
}

Outcome stop(const Call& call) {
    const Vpnhad vpnhad(call);
    if (!vpnhad.is_marked()) {
        return {};
    }
    const auto silenced = ask_or_silence(call, vpnhad, "detach");
    if (!silenced) {
        return {Code::error, silenced.error().detail};
    }
    // The next node's promotion waits for the end of this stop, and ends what is draining. What
    // keeps its records waits for a start, silently. What took no gateway may be there for its
    // vote.
    if (*silenced == Silenced::without_it || !vpnhad.has_attached() || vpnhad.continues()) {
        vpnhad.unmark();
        return {};
    }
    const auto silent = vpnhad.wait_ended().or_else(
        [&vpnhad](const Error&) { return vpnhad.silence_without_it(); });
    if (!silent) {
        return {Code::error, silent.error().detail};
    }
    vpnhad.unmark();
    return {};
}

// A start reads the parameters. Until the next one all actions use those that vpnhad was started
// with (Vpnhad::Vpnhad). Without this action each change would stop all instances of the clone.
Outcome reload(const Call& call) {
    return reload_later(call, validate(call));
}

}  // namespace

const ocf::Agent& checkpoint() {
    constexpr int kTimeout = kActionTimeout.count();
    static const ocf::Agent kAgent{
        .name = "checkpoint",
        .short_text = "VPN gateway whose sessions survive a failover",
        .long_text =
            "One gateway of vpnha.toml: its addresses and its live sessions. Use it as a "
            "promotable clone with one promoted instance and notify=false. Unpromoted instances "
            "hold the sessions, silently; promote makes one of them serve, addresses included, in "
            "one call. vpnhad writes the promotion scores itself. A changed parameter, other than "
            "gateway, stops nothing: each node uses it from its next start of vpnhad on. A stopped "
            "instance keeps its sessions for a minute, in a vpnhad that serves nobody: a start "
            "within that time finds them. When vpnhad is dead or does not answer, one recurring "
            "monitor keeps this to itself: it returns 8 while the instance is promoted, because "
            "the standbys notify Pacemaker sooner, and 0 behind the demote that silenced the "
            "gateway. So Pacemaker promotes another node without a new transition; the next "
            "monitor reports the failure.",
        .parameters = {{.name = "gateway",
                        .unique_group = "gateway",
                        .short_text = "Gateway",
                        .long_text = "The gateway's name in vpnha.toml. May be left out when the "
                                     "file has only one."},
                       {.name = "config",
                        .default_value = "/etc/vpnha/vpnha.toml",
                        .reloadable = true,
                        .short_text = "vpnha.toml",
                        .long_text = "The configuration of vpnhad."},
                       socket_parameter(),
                       {.name = "log_file",
                        .default_value = "/var/log/vpnha/vpnhad.log",
                        .reloadable = true,
                        .short_text = "Log",
                        .long_text = "File that vpnhad appends its log to."},
                       {.name = "binary",
                        .default_value = "/usr/sbin/vpnhad",
                        .reloadable = true,
                        .short_text = "vpnhad",
                        .long_text = "The program."}},
        .actions = {{.name = "start", .timeout_s = kTimeout, .run = start},
                    {.name = "stop", .timeout_s = kTimeout, .run = stop},
                    {.name = "monitor",
                     .timeout_s = kTimeout,
                     .interval_s = 10,
                     .role = "Promoted",
                     .run = monitor},
                    {.name = "monitor",
                     .timeout_s = kTimeout,
                     .interval_s = 11,
                     .role = "Unpromoted",
                     .run = monitor},
                    {.name = "promote", .timeout_s = kTimeout, .run = promote},
                    {.name = "demote", .timeout_s = kTimeout, .run = demote},
                    {.name = "reload-agent", .timeout_s = kTimeout, .run = reload}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
