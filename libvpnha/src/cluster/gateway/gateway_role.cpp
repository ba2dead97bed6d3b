// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_role.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

using takeover::Step;

}  // namespace

GatewayRole::GatewayRole(const Parts& parts)
    : parts_(parts),
      gate_(parts.cores.settings.id),
      keeper_steps_({parts.cores.keepers, parts.cores.replica, parts.cores.lease.engine(),
                     parts.lease.grants()}) {}

void GatewayRole::follow(const takeover::Next& next, TimePoint now, Effects& effects) {
    if (next.finished) {
        finish(next.succeeded, now, effects);
        return;
    }
    if (!next.step) {
        return;
    }
    parts_.cores.history.on_step(*next.step, now);
    switch (*next.step) {
        case Step::grant:
            parts_.lease.begin_grant(now, effects);
            return;
        case Step::await_group:
            parts_.stand_in.await_group(now, effects);
            return;
        case Step::warm_counters:
            keeper_steps_.begin_warming(now);
            continue_warming(now, effects);
            return;
        case Step::activate_services:
        case Step::deactivate_services:
            keeper_steps_.begin_turning(now);
            continue_turning(now, effects);
            return;
        case Step::mute_sessions:
            if (keeper_steps_.hands_over()) {
                return;  // The last counters are still to be sent in this epoch.
            }
            [[fallthrough]];
        case Step::claim:
        case Step::resume_sessions:
        case Step::install_hot:
            run_inner_step(*next.step, now, effects);
            return;
        case Step::open_gate:
            gate_.open(parts_.lease.grants().epoch(), epoch_of_step(),
                       parts_.cores.lease.engine().holder().state().deadline, effects);
            return;
        case Step::shut_gate:
            gate_.keep_shut();
            if (gate_.lets_out_until()) {
                return;  // What is within this node leaves it first: see continue_leaving().
            }
            parts_.cores.lease.take(parts_.cores.lease.engine().release(
                                        parts_.cores.attachment.leaving() ||
                                            parts_.stand_in.policy().released_by_order(),
                                        now),
                                    effects);
            parts_.cores.events.post(GateShuts{});
            return;
        case Step::add_addresses:
        case Step::announce:
        case Step::remove_addresses:
        case Step::reset_services:
            break;
    }
    effects.emplace_back(RunStep{parts_.cores.settings.id, *next.step, epoch_of_step(),
                                 parts_.cores.lease.engine().holder().state().deadline});
}

void GatewayRole::shut_gate(Effects& effects) {
    parts_.stand_in.policy().end();
    gate_.shut(epoch_of_step(), parts_.cores.lease.engine().holder().state().deadline, effects);
}

std::optional<TimePoint> GatewayRole::next_deadline() const {
    return earliest(gate_.next_deadline(), keeper_steps_.next_deadline());
}

Epoch GatewayRole::epoch_of_step() const {
    const bool stands_in = parts_.cores.takeover.state() == takeover::State::standing_in;
    return stands_in ? parts_.lease.grants().epoch() : parts_.cores.replica.epoch();
}

void GatewayRole::run_inner_step(Step step, TimePoint now, Effects& effects) {
    Result<void> result;
    switch (step) {
        case Step::claim:
            result = parts_.lease.claim(now, effects);
            if (result) {
                parts_.stand_in.on_notified(now);
            }
            break;
        case Step::resume_sessions:
            parts_.cores.keepers.promote(now, effects);
            break;
        case Step::mute_sessions:
            parts_.cores.keepers.mute(effects);
            parts_.links.end_announcements();
            if (parts_.cores.replica.promoted()) {
                parts_.cores.replica.end_epoch(now);
            }
            break;
        case Step::install_hot:
            if (!parts_.cores.attachment.leaving() || parts_.view.keeps_records()) {
                parts_.cores.keepers.install_missing(now, effects);
            }
            break;
        default:
            VPNHA_ASSERT(false);
    }
    if (!result) {
        parts_.cores.transition.fail(fmt::format("{}: {}", to_string(step), result.error().detail));
    }
    parts_.cores.events.post(StepEnded{result.has_value()});
}

void GatewayRole::on_step_done(Step step, const Result<void>& result, TimePoint now,
                               Effects& effects) {
    if (!result) {
        effects.emplace_back(Log{
            LogLevel::error,
            fmt::format("step {} failed {}: {}", to_string(step), tag(), result.error().detail)});
        std::string why = fmt::format("{}: {}", to_string(step), result.error().detail);
        if (step == Step::shut_gate) {
            parts_.cores.transition.fail(std::move(why));
        } else {
            parts_.cores.transition.fail_after(std::move(why));
        }
    } else if (step == Step::add_addresses) {
        parts_.cores.keepers.on_addresses(effects);
    } else if (step == Step::open_gate) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("gate opened event=gate-open {}", tag())});
        parts_.cores.history.on_opened(parts_.lease.grants().epoch(), now);
        parts_.moves.on_opened();
        gate_.begin_giving_back(now);
        continue_giving_back(now, effects);
    } else if (step == Step::announce) {
        parts_.links.plan_announcements(now);
        parts_.cores.keepers.on_open(now, effects);
    }
    if (step == Step::reset_services) {
        if (parts_.cores.blockers.on_services_reset(result.has_value(), now)) {
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("the stock services have ended at last {}", tag())});
        }
        if (parts_.cores.blockers.end_resetting()) {
            return;
        }
    }
    parts_.cores.events.post(StepEnded{result.has_value()});
}

void GatewayRole::finish(bool succeeded, TimePoint now, Effects& effects) {
    using Role = std::pair<std::string_view, std::string_view>;
    const takeover::State state = parts_.cores.takeover.state();
    const Role role = parts_.view.stands_in()
                          ? Role("stands in, and the group knows", "event=stand-in-announced")
                      : state == takeover::State::promoted ? Role("promoted", "event=promoted")
                      : state == takeover::State::draining ? Role("draining", "event=draining")
                                                           : Role("unpromoted", "event=demoted");
    if (parts_.cores.transition.satisfies_all(succeeded, parts_.cores.takeover.serves())) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("now {} {} {} sessions={}", role.first, role.second,
                                            tag(), parts_.cores.keepers.session_totals().all)});
    }
    if (state == takeover::State::promoted) {
        effects.emplace_back(WatchServices{parts_.cores.settings.id});
    }
    parts_.cores.history.on_finished(now);
    parts_.moves.on_finished(state == takeover::State::promoted);
    parts_.cores.transition.finish(succeeded, parts_.cores.takeover.serves(), effects);
    if (parts_.cores.attachment.leaving() &&
        parts_.cores.takeover.state() == takeover::State::standby) {
        parts_.cores.events.post(RoleLeft{succeeded});
    }
    if (state == takeover::State::promoted) {
        parts_.lease.heed_lapse(now, effects);
    }
}

void GatewayRole::on_granted(const lease::Granted& granted, TimePoint now, Effects& effects) {
    const Epoch before = parts_.lease.grants().add(granted, now);
    const bool asks = parts_.stand_in.policy().phase() == StandIn::Phase::asks;
    if ((parts_.lease.grants().awaited() || asks) && Grants::shares_number(granted) &&
        !parts_.cores.keepers.counted().empty()) {
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("node {} was granted epoch {}: claiming "
                            "anew {}",
                            granted.elsewhere.node.value, to_string(granted.elsewhere), tag())});
        parts_.cores.events.post(LeaseOrder::decline);
        parts_.cores.events.post(asks ? LeaseOrder::claim : LeaseOrder::promote);
        return;
    }
    if (parts_.lease.grants().awaited()) {
        parts_.lease.grants().end();
        parts_.cores.events.post(StepEnded{true});
        return;
    }
    if (asks && !parts_.view.can_serve_all()) {
        parts_.stand_in.give_up_claim("its kernel does not have all sessions", now, effects);
        return;
    }
    if (asks) {
        parts_.stand_in.begin(now, effects);
        return;
    }
    if (parts_.cores.takeover.state() != takeover::State::promoted) {
        if (granted.elsewhere > before && !parts_.cores.keepers.counted().empty()) {
            // The lease lapsed during the promotion, for which the counters were made warm.
            parts_.cores.events.post(RoleLost{});
        }
        return;
    }
    // The lease had lapsed, and no other node was promoted meanwhile.
    if (parts_.lease.grants().served_since(granted, parts_.cores.replica.epoch(), now)) {
        parts_.lease.decline(fmt::format("another node may have served in epoch {} meanwhile",
                                         to_string(granted.elsewhere)),
                             effects);
        return;
    }
    if (!parts_.cores.replica.quorate()) {
        effects.emplace_back(Log{
            LogLevel::info, fmt::format("the lease is granted anew, and this node serves on; it "
                                        "claims epoch {} in the next quorate ring "
                                        "event=claim-waits {}",
                                        to_string(granted.epoch), tag())});
    } else if (!parts_.lease.claim_anew(now, effects)) {
        return;
    }
    parts_.cores.keepers.unpause(now, effects);
}

void GatewayRole::on_lease_ended(const lease::Ended& ended, TimePoint now, Effects& effects) {
    parts_.moves.on_lease_ended(ended.epoch, now);
    if (parts_.stand_in.policy().phase() == StandIn::Phase::asks) {
        if (ended.why == lease::End::given_up && !parts_.cores.lease.engine().state().wanted) {
            // This is no failure: the node may ask again as soon as its vote is free.
            parts_.stand_in.policy().stand_back();
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("this node does not stand in: another claim is higher "
                                            "event=stand-in-refused {}",
                                            tag())});
        } else if (ended.why != lease::End::released) {  // Or it claims anew: see on_granted().
            parts_.stand_in.give_up_claim(to_string(ended.why), now, effects);
        }
        return;
    }
    if (parts_.cores.takeover.state() == takeover::State::standing_in) {
        // No other node knows this epoch, and nothing was sent in it.
        parts_.stand_in.end(fmt::format("the lease has ended: {}", to_string(ended.why)), now,
                            effects);
        return;
    }
    if (parts_.view.stands_in() && ended.why == lease::End::given_up &&
        !parts_.cores.lease.engine().state().wanted) {
        parts_.stand_in.end("another standby claims the lease", now, effects);
        return;
    }
    const bool promoted = parts_.cores.takeover.state() == takeover::State::promoted;
    // A promoted node releases its lease only to claim above its members.
    if (!parts_.cores.takeover.serves() || (promoted && ended.why == lease::End::released)) {
        return;
    }
    // The lease ended without quorum or answers. It is claimed again as soon as both are there.
    if (promoted && (ended.why == lease::End::lapsed || ended.why == lease::End::given_up)) {
        parts_.lease.be_silent(ended.why, effects);
        return;
    }
    effects.emplace_back(Log{
        LogLevel::info,
        fmt::format("the lease ended event=lease-ended {} why={}", tag(), to_string(ended.why))});
    if (parts_.view.is_promoted() && parts_.stand_in.policy().wanted() &&
        ended.why == lease::End::handed_over) {
        // A service or a link of this node is lost: a standby claimed it.
        parts_.stand_in.policy().depose(now);
    }
    parts_.cores.events.post(RoleLost{});
}

void GatewayRole::continue_warming(TimePoint now, Effects& effects) {
    const std::optional<bool> warm = keeper_steps_.warm(now, effects);
    if (!warm) {
        return;
    }
    if (!*warm) {
        parts_.cores.transition.fail(
            "warm_counters: the kernel has not taken the counters in time");
    }
    parts_.cores.events.post(StepEnded{*warm});
}

void GatewayRole::begin_handing_over(TimePoint now, Effects& effects) {
    if (!keeper_steps_.begin_handing_over(gate_.lets_out_until(), now, effects)) {
        parts_.cores.lease.take(parts_.cores.lease.engine().on_counters(
                                    parts_.cores.lease.engine().state().checkpoint, now),
                                effects);
    }
}

void GatewayRole::continue_handing_over(TimePoint now, Effects& effects) {
    const std::optional<lease::Checkpoint> checkpoint = keeper_steps_.hand_over(now, effects);
    if (!checkpoint) {
        return;
    }
    parts_.cores.lease.take(parts_.cores.lease.engine().on_counters(*checkpoint, now), effects);
    parts_.cores.events.post(CountersSent{});
}

void GatewayRole::on_counters_sent(TimePoint now, Effects& effects) {
    if (parts_.cores.takeover.running() == Step::mute_sessions) {
        run_inner_step(Step::mute_sessions, now, effects);
    }
}

void GatewayRole::continue_turning(TimePoint now, Effects& effects) {
    const std::optional<bool> turned = keeper_steps_.turn(now);
    if (!turned) {
        return;
    }
    if (!*turned) {
        effects.emplace_back(Log{
            LogLevel::warning, fmt::format("a service has not changed its role in time: this node "
                                           "does not wait for it {}",
                                           tag())});
    }
    parts_.cores.events.post(StepEnded{true});
}

void GatewayRole::leave_gate(const lease::Leave& leave, TimePoint now, Effects& effects) {
    gate_.let_out(parts_.view.state_of(leave.to).macs, parts_.cores.keepers.lets_out(), leave.until,
                  now, effects);
}

void GatewayRole::hold_gate(TimePoint now, Effects& effects) {
    const std::optional<NodeId> holder = parts_.cores.replica.holder();
    const SideMacs before =
        holder && *holder != parts_.view.self() ? parts_.view.state_of(*holder).macs : SideMacs{};
    gate_.hold(parts_.links.state().macs(), before, now, effects);
}

void GatewayRole::continue_leaving(TimePoint now) {
    // The kernel has shut the gate by itself.
    if (gate_.has_left(now) && parts_.cores.takeover.running() == Step::shut_gate) {
        parts_.cores.events.post(takeover::Next{Step::shut_gate, false, false});
    }
}

void GatewayRole::continue_giving_back(TimePoint now, Effects& effects) {
    if (gate_.gives_back()) {
        gate_.give_back(parts_.cores.keepers.take_packets(), now, effects);
    }
}

}  // namespace vpnha::node
