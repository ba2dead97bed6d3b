// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/scripts.hpp"

#include <fmt/format.h>

#include <utility>

#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

using adapters::write_log;
using End = adapters::ScriptRunner::End;

Scripts::Scripts(adapters::QbLoop& loop, InterfaceOf interface_of,
                 adapters::ScriptRunner::Settings settings)
    : loop_(loop), interface_of_(std::move(interface_of)), runner_(loop, std::move(settings)) {}

Status Scripts::status() const {
    return {{"scripts/waiting", queue_.waiting()},
            {"scripts/done", counters_.done},
            {"scripts/failed", counters_.failed},
            {"scripts/killed", counters_.killed},
            {"scripts/dropped", counters_.dropped}};
}

bool Scripts::execute(effects::ProtocolWork& work) {
    return execute_own<node::ScriptWork>(work, [this](auto& each) { carry_out(each); });
}

void Scripts::carry_out(const node::RunUpScripts& work) {
    execute(work, work.facts.device == 0 ? interface_of_(work.session)
                                         : adapters::name_of_device(work.facts.device));
}

void Scripts::execute(const node::RunUpScripts& work, std::string interface) {
    // Without an interface the session has gone meanwhile; the keeper is about to be notified.
    if (interface.empty()) {
        return;
    }
    drop_unless(queue_.up(work.session, {std::move(interface), work.facts}));
    proceed();
}

void Scripts::execute(const node::RunStockDownScripts& work) {
    drop_unless(queue_.stock_down(work.session, {work.interface, work.facts}));
    proceed();
}

void Scripts::drop_unless(bool taken) {
    if (!taken && counters_.dropped++ == 0) {
        write_log(LogLevel::error,
                  "too many sessions wait for their scripts; those of others are left out "
                  "event=scripts-dropped");
    }
}

void Scripts::execute(const node::RunDownScripts& work) {
    queue_.down(work.session);
    proceed();
}

void Scripts::proceed() {
    while (const auto next = queue_.take()) {
        const Result<void> begun = runner_.run(
            next->call, [this, run = *next](const adapters::ScriptRunner::Outcome& outcome) {
                count(run, outcome);
                queue_.finish(run.session);
                proceed();
                end_if_idle();
            });
        if (!begun) {
            count(*next, {End::failed, begun.error().detail});
            queue_.finish(next->session);
        }
    }
}

void Scripts::count(const ScriptQueue::Next& run, const adapters::ScriptRunner::Outcome& outcome) {
    if (outcome.end == End::missing) {
        return;
    }
    if (outcome.end == End::done) {
        ++counters_.done;
        return;
    }
    ++(outcome.end == End::killed ? counters_.killed : counters_.failed);
    if (complain_from_ && loop_.now() < *complain_from_) {
        return;
    }
    complain_from_ = loop_.now() + limits::kScriptComplaintPause;
    write_log(LogLevel::warning, fmt::format("{} of {} {} event=script-failed failures={}: {}",
                                             adapters::name_of(run.call.script), run.call.interface,
                                             to_string(run.call.facts.peer_address),
                                             counters_.failed + counters_.killed, outcome.what));
}

void Scripts::complete(std::function<void()> done) {
    on_idle_ = std::move(done);
    const auto wait = queue_.busy() == 0 ? Duration::zero() : Duration(limits::kScriptsAtEnd);
    loop_.set_timer(kScriptTimer, loop_.now() + wait, [this] { end(); });
}

void Scripts::end_if_idle() {
    if (on_idle_ && queue_.busy() == 0) {
        loop_.cancel_timer(kScriptTimer);
        end();
    }
}

void Scripts::end() {
    if (queue_.busy() != 0) {
        write_log(LogLevel::warning,
                  fmt::format("vpnhad ends before the scripts of {} sessions event=scripts-dropped",
                              queue_.busy()));
    }
    std::exchange(on_idle_, nullptr)();
}

}  // namespace vpnha::runtime
