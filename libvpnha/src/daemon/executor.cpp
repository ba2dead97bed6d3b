// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "cluster/effects/run_effects.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

Executor::Executor(adapters::QbLoop& loop, node::Node& node, Ports ports, Answers answers)
    : loop_(loop), node_(node), ports_(ports), answers_(std::move(answers)), tools_(loop) {}

void Executor::run(effects::Effects effects) {
    if (running_) {
        // A port has called back within an effect. The node ordered the pending effects first.
        std::move(effects.begin(), effects.end(), std::back_inserter(within_));
        return;
    }
    running_ = true;
    effects::run_effects(
        std::move(effects),
        [this](effects::Effect& effect) {
            effects::Effects more = run_one(effect);
            effects::Effects within = std::exchange(within_, {});
            std::move(more.begin(), more.end(), std::back_inserter(within));
            return within;
        },
        [this] { return broken_; });
    running_ = false;
    arm_timer();
}

effects::Effects Executor::execute(effects::SendToGroup& effect) {
    send(std::move(effect.message));
    return {};
}

effects::Effects Executor::execute(effects::ProtocolWork& work) {
    // Its keeper and its backend were added together.
    VPNHA_ASSERT(
        std::ranges::any_of(ports_.backends, [&](auto* each) { return each->execute(work); }));
    return {};
}

effects::Effects Executor::execute(effects::SaveLease& effect) {
    ports_.lease_links.set_voters(node_.voters());  // A list that has changed is saved.
    ports_.leases.save(
        effect.gateway, std::move(effect.durable), effect.ticket,
        [this, gateway = effect.gateway, ticket = effect.ticket](const Result<void>& result) {
            run(node_.on_lease_saved(gateway, ticket, result, loop_.now()));
        });
    return {};
}

effects::Effects Executor::execute(effects::SendLease& effect) {
    ports_.lease_links.send(effect.gateway, effect.to, effect.message);
    return {};
}

effects::Effects Executor::execute(effects::SetGate& effect) {
    const bool shut = effect.deadline == TimePoint{};
    const Result<void> set = shut ? ports_.gate.shut(effect.gateway)
                                  : ports_.gate.open_until(effect.gateway, effect.deadline);
    if (!set) {
        break_off(set.error());
    }
    return {};
}

effects::Effects Executor::execute(effects::LeaveGate& effect) {
    const Result<void> left =
        ports_.gate.leave(effect.gateway, {effect.until, effect.beyond, effect.shut_at, effect.to});
    if (!left) {
        adapters::write_log(LogLevel::warning, left.error().detail);
        if (const Result<void> shut = ports_.gate.shut(effect.gateway); !shut) {
            break_off(shut.error());
        }
    }
    return {};
}

effects::Effects Executor::execute(effects::HoldGate& effect) {
    adapters::log_failure("holding what comes",
                          ports_.gate.hold(effect.gateway, {effect.until, effect.before}));
    return {};
}

// The kernel queries its next hops anew. Queries before the gate opened were dropped, and would be
// repeated only after a second.
Result<void> Executor::open_gate(const effects::RunStep& step) {
    VPNHA_CHECK(ports_.gate.open_until(step.gateway, step.deadline));
    adapters::log_failure("next hops", ports_.network.forget_unresolved(step.gateway));
    return {};
}

effects::Effects Executor::execute(effects::GiveBack& effect) {
    adapters::log_failure("giving back what was sent on",
                          ports_.gate.release(effect.gateway, ports::HoldQueue::sent_on));
    opened_.insert(effect.gateway);
    loop_.set_timer(kHoldTimer, loop_.now() + limits::kDirectWaits, [this] {
        for (const GatewayId gateway : std::exchange(opened_, {})) {
            adapters::log_failure("giving back what came straight",
                                  ports_.gate.release(gateway, ports::HoldQueue::direct));
        }
    });
    return {};
}

effects::Effects Executor::execute(effects::DrainGate& effect) {
    if (const Result<void> notified = ports_.gate.drain(effect.gateway, effect.drained);
        !notified) {
        adapters::write_log(LogLevel::error, notified.error().detail);
    }
    return {};
}

void Executor::break_off(const Error& error) {
    broken_ = true;
    answers_.broken(error);
}

effects::Effects Executor::execute(effects::RunStep& effect) {
    if (effect.step == takeover::Step::reset_services) {
        return reset_services(effect.gateway);
    }
    const Result<void> result = run_step(effect);
    return node_.on_step_done(effect.gateway, effect.step, result, loop_.now());
}

effects::Effects Executor::execute(effects::Announce& effect) {
    adapters::log_failure("gratuitous ARP", ports_.network.announce(effect.gateway));
    for (ports::Backend* const each : ports_.backends) {
        each->announce(effect.gateway);
    }
    return {};
}

effects::Effects Executor::execute(effects::AskNeighbours& effect) {
    ports_.neighbours.ask(effect.gateway, effect.side);
    return {};
}

effects::Effects Executor::execute(effects::AnswerPlugin& effect) {
    answers_.plugin(effect);
    return {};
}

effects::Effects Executor::execute(effects::AnswerAddress& effect) {
    answers_.address(effect);
    return {};
}

effects::Effects Executor::execute(effects::EndPlugin& effect) {
    answers_.end_plugin(effect.plugin);
    return {};
}

effects::Effects Executor::execute(effects::ChangePlugin& effect) {
    answers_.change_plugin(effect);
    return {};
}

effects::Effects Executor::execute(effects::AnswerRequest& effect) {
    answers_.request(effect);
    return {};
}

effects::Effects Executor::execute(effects::WriteScore& effect) {
    answers_.score(effect);
    return {};
}

effects::Effects Executor::execute(effects::AskForEcho& effect) {
    ports_.lease_links.ask_for_echo(effect.node);
    return {};
}

effects::Effects Executor::execute(effects::WithdrawScore& effect) {
    // The name that crm_attribute --promotion makes of the resource's.
    tools_.start({"/usr/sbin/attrd_updater", "--delete", "--name", "master-" + effect.resource,
                  "--node", effect.node},
                 [](const Result<void>& result) {
                     adapters::log_failure("notifying Pacemaker that a vpnhad is of no use",
                                           result);
                 });
    return {};
}

effects::Effects Executor::execute(effects::WatchServices& effect) {
    ports_.services.watch(effect.gateway);
    return {};
}

effects::Effects Executor::execute(effects::ReportFailure& effect) {
    tools_.start(
        {"/usr/sbin/crm_resource", "--fail", "--resource", effect.resource, "--node", effect.node},
        [](const Result<void>& result) {
            adapters::log_failure("notifying Pacemaker of a death", result);
        });
    return {};
}

effects::Effects Executor::execute(effects::Detached& effect) {
    for (ports::Backend* const each : ports_.backends) {
        each->detach(effect.gateway);
    }
    // Work that a backend does in slices continues: another gateway's lease is renewed meanwhile.
    if (!node_.any_attached()) {
        for (ports::Backend* const each : ports_.backends) {
            each->finish();
        }
        answers_.idle();
    }
    return {};
}

effects::Effects Executor::execute(effects::Fenced&) {
    broken_ = true;
    answers_.fenced();
    return {};
}

effects::Effects Executor::execute(effects::Log& effect) {
    adapters::write_log(effect.level, effect.text);
    return {};
}

Result<void> Executor::run_step(const effects::RunStep& step) {
    switch (step.step) {
        case takeover::Step::add_addresses:
            return ports_.network.add_addresses(step.gateway);
        case takeover::Step::open_gate:
            return open_gate(step);
        case takeover::Step::announce:
            return ports_.network.announce(step.gateway);
        case takeover::Step::shut_gate:
            return ports_.gate.shut(step.gateway);
        case takeover::Step::remove_addresses:
            return ports_.network.remove_addresses(step.gateway);
        case takeover::Step::reset_services:  // Its end is reported separately.
        case takeover::Step::grant:
        case takeover::Step::warm_counters:
        case takeover::Step::claim:
        case takeover::Step::resume_sessions:
        case takeover::Step::activate_services:
        case takeover::Step::await_group:
        case takeover::Step::mute_sessions:
        case takeover::Step::deactivate_services:
        case takeover::Step::install_hot:
            break;  // Run within the node.
    }
    VPNHA_ASSERT(false);
}

effects::Effects Executor::reset_services(GatewayId gateway) {
    // Other gateways' leases are renewed meanwhile. The next holder's records are installed when
    // the kernel has no session of the stock daemons any more.
    for (ports::Backend* const each : ports_.backends) {
        each->hold(gateway);
    }
    const Result<void> begun = ports_.services.reset(
        gateway,
        [this, gateway](const Result<void>& result) { run(on_services_reset(gateway, result)); });
    return begun ? effects::Effects{} : on_services_reset(gateway, begun);
}

effects::Effects Executor::on_services_reset(GatewayId gateway, const Result<void>& result) {
    for (ports::Backend* const each : ports_.backends) {
        each->let_go(gateway);
    }
    return node_.on_step_done(gateway, takeover::Step::reset_services, result, loop_.now());
}

void Executor::send(Bytes message) {
    waiting_.push_back(std::move(message));
    if (waiting_.size() == 1) {
        send_waiting();
    }
}

void Executor::send_waiting() {
    while (!waiting_.empty() && group_ != nullptr) {
        const Result<bool> sent = group_->send(waiting_.front());
        if (!sent) {
            // Corosync is going away; on_lost ends the daemon.
            waiting_.clear();
            return;
        }
        if (!*sent) {
            break;
        }
        waiting_.pop_front();
    }
    if (!waiting_.empty()) {
        // The node sends nothing more until the queue is empty, so the queue stays short.
        run(node_.set_group_writable(false, loop_.now()));
        loop_.set_timer(kGroupTimer, loop_.now() + kGroupRetry, [this] {
            send_waiting();
            if (waiting_.empty()) {
                run(node_.set_group_writable(true, loop_.now()));
            }
        });
    }
}

void Executor::arm_timer() {
    const auto at = node_.next_deadline();
    if (at == armed_for_) {
        return;  // Most events do not change it: the clock need not be read.
    }
    armed_for_ = at;
    if (!at) {
        loop_.cancel_timer(kNodeTimer);
        return;
    }
    loop_.set_timer(kNodeTimer, std::max(*at, loop_.now() + kTurnPause), [this] {
        armed_for_.reset();
        node_.set_wall(adapters::wall_offset());
        run(node_.on_time(loop_.now()));
    });
}

}  // namespace vpnha::runtime
