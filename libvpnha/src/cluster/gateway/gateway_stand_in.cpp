// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_stand_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vpnha::node {

bool GatewayStandIn::may_stand_in() const {
    const lease::Engine::State& lease = engine().state();
    const lease::Voter& voter = engine().voter();
    if (!policy_.wanted() || !parts_.attachment.attached() || parts_.attachment.leaving() ||
        parts_.attachment.resource().empty() ||
        parts_.takeover.state() != takeover::State::standby || parts_.blockers.resetting() ||
        !parts_.replica.quorate() || !lease.quorate || lease.fenced || lease.alone ||
        !parts_.lease.saves().work() || parts_.lease.own_clock_astray() ||
        lease.voters.newest().nodes.size() < lease::kVotersToStandIn || !engine().remembers()) {
        return false;
    }
    // Only an order ends the service for all nodes. A lapse or a failure leaves the others free.
    // A hello carries the order as well, so a lost datagram does not matter.
    const Epoch newest = std::max(voter.state().promise.epoch, parts_.replica.epoch());
    const bool ended_by_order = std::any_of(
        parts_.replica.peers().begin(), parts_.replica.peers().end(), [&](const auto& peer) {
            return peer.second.ended_by_order && peer.second.epoch >= newest;
        });
    return last_holder() != NodeId{} && !ended_by_order &&
           !voter.ended_by_order(parts_.replica.epoch()) && parts_.view.can_serve_all() &&
           parts_.links.lost_for_coming() == 0;
}

std::size_t GatewayStandIn::rank_without(const std::set<NodeId>& gone) const {
    std::vector<NodeId> candidates{self()};
    for (const auto& [node, state] : parts_.replica.peers()) {
        if (!gone.contains(node) && state.standing == wire::Level::complete &&
            !state.outside_lost && !state.inside_lost && state.epoch >= parts_.replica.epoch()) {
            candidates.push_back(node);
        }
    }
    return StandIn::rank(std::move(candidates), parts_.moves.busy(), self(), parts_.settings.id);
}

std::optional<StandIn::Turn> GatewayStandIn::next_turn() const {
    if (!may_stand_in()) {
        return std::nullopt;
    }
    const lease::Voter::Promise& promise = engine().voter().state().promise;
    const NodeId holder = last_holder();
    const std::optional<TimePoint> yielded = policy_.yielded_at(holder);
    const TimePoint until =
        promise.epoch == Epoch{} ? engine().voter().abstains_until() : promise.until;
    // Rounds of the newest epoch may not reach this node. Then only the others' votes show whether
    // they receive the holder.
    const bool is_of_newest = promise.epoch >= parts_.replica.epoch();
    return StandIn::Turn{.holder = holder,
                         .promised_until = yielded.value_or(
                             std::min(until, engine().voter().in_vain_since().value_or(until))),
                         .released = is_of_newest && promise.released && !yielded,
                         .waits_until = pulse_.waits_until(),
                         .rank = rank_without({holder, is_of_newest ? promise.epoch.node : holder}),
                         .candidates = parts_.replica.peers().size() + 1};
}

bool GatewayStandIn::watch_claim(TimePoint now, Effects& effects) {
    policy_.forget_deposal(now);
    if (policy_.phase() != StandIn::Phase::asks) {
        return false;
    }
    if (!engine().state().wanted) {
        const std::optional<StandIn::Turn> turn = next_turn();
        const bool promised = turn && !turn->released && now < turn->promised_until;
        if (!turn || turn->holder != policy_.holder() || promised) {
            policy_.stand_back();
            engine().stand_back();
        }
    } else if (policy_.claims_in_vain(parts_.lease.has_emitted_claim(), now)) {
        give_up_claim("no majority granted it in time", now, effects);
    }
    return true;
}

void GatewayStandIn::watch_turn(TimePoint now, Effects& effects) {
    std::optional<StandIn::Turn> turn = next_turn();
    if (turn) {
        watch_pulse(*turn, now, effects);
        turn->waits_until = pulse_.waits_until();
    } else {
        pulse_.forget();
    }
    policy_.note_turn(turn, now);
    const auto due = policy_.due(turn, parts_.settings.lease.timing.renew);
    if (due && now >= *due) {
        policy_.begin(turn->holder, now);
        parts_.history.on_step(takeover::Step::grant, now);
        const std::string echo = pulse_.words(now);
        pulse_.forget();
        engine().set_checkpoint({});
        engine().note_claimed(parts_.replica.highest_epoch());
        if (policy_.yielded_at(turn->holder)) {
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("node {} serves no more: this node claims the lease "
                                            "event=stand-in-claims {}",
                                            turn->holder.value, tag())});
            parts_.events.post(LeaseOrder::claim);
            return;
        }
        parts_.voters.note_position();
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("node {} does not answer, and {}: this node asks whether it would be "
                            "granted the lease event=stand-in-asks {}",
                            turn->holder.value, echo, tag())});
        parts_.lease.take(engine().stand_in(now), effects);
    }
}

void GatewayStandIn::watch_pulse(const StandIn::Turn& turn, TimePoint now, Effects& effects) {
    const bool serves_nobody = turn.released || policy_.yielded_at(turn.holder) ||
                               parts_.holder.died_in(parts_.replica.epoch()) ||
                               engine().voter().in_vain_since() ||
                               !parts_.members.contains(turn.holder);
    if (serves_nobody) {
        pulse_.forget();
        return;
    }
    pulse_.follow(turn.holder, turn.promised_until, engine().holder().timing().lease);
    if (pulse_.asks(now)) {
        effects.emplace_back(AskForEcho{turn.holder});
    }
}

void GatewayStandIn::watch_standing_in(TimePoint now, Effects& effects) {
    const bool sound = parts_.replica.quorate() && engine().holder().serving();
    if (const StandIn::Reason why = policy_.over(sound, now); !why.empty()) {
        end(why, now, effects);
        return;
    }
    if (policy_.takes_long(now)) {
        effects.emplace_back(Log{
            LogLevel::warning, fmt::format("this node stands in for node {}, and Pacemaker has not "
                                           "promoted it yet event=stand-in-long {}",
                                           policy_.holder().value, tag())});
    }
    if (policy_.notifies(now) && parts_.members.contains(policy_.holder())) {
        const std::string name = parts_.members.name(policy_.holder());
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format("{} lives, and this node stands in for it; Pacemaker is notified "
                            "event=reported {}",
                            name, tag())});
        effects.emplace_back(WithdrawScore{parts_.settings.id, parts_.attachment.resource(), name});
    }
}

void GatewayStandIn::begin(TimePoint now, Effects& effects) {
    policy_.on_granted(now, parts_.holder.died_in(parts_.replica.epoch()));
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("stands in for node {}, which {}; Pacemaker will follow "
                        "event=stand-in {} granted={}",
                        policy_.holder().value,
                        policy_.yielded_at(policy_.holder()) ? "serves no more" : "does not answer",
                        tag(), to_string(parts_.grants.epoch()))});
    emit_barrier(effects);
    parts_.events.post(parts_.takeover.stand_in());
}

void GatewayStandIn::emit_barrier(Effects& effects) {
    const bool waits =
        policy_.phase() == StandIn::Phase::serves || policy_.phase() == StandIn::Phase::confirmed;
    if (waits && !policy_.barrier_came()) {
        effects.emplace_back(SendToGroup{
            parts_.speech.encode(wire::Barrier{parts_.settings.id, parts_.grants.epoch()})});
    }
}

void GatewayStandIn::on_barrier(NodeId sender, const wire::Barrier& barrier, TimePoint now,
                                Effects& effects) {
    // In a ring without quorum others may continue without this node. Each ring needs a barrier.
    if (sender == self() && barrier.gateway == parts_.settings.id &&
        barrier.epoch == parts_.grants.epoch() && parts_.replica.quorate()) {
        policy_.on_barrier();
        await_group(now, effects);
    }
}

void GatewayStandIn::await_group(TimePoint now, Effects& effects) {
    const bool received = policy_.barrier_came() || !parts_.members.contains(policy_.holder());
    // A node from another ring may have more records than this node.
    if (!parts_.takeover.waits_for_group() || !received || !parts_.replica.quorate() ||
        !parts_.replica.has_met_all()) {
        return;
    }
    if (parts_.replica.level() == wire::Level::complete) {
        parts_.events.post(StepEnded{true});
    } else {
        end("its replica may have missed changes", now, effects);
    }
}

void GatewayStandIn::on_notified(TimePoint now) {
    if (parts_.takeover.state() != takeover::State::standing_in) {
        return;
    }
    policy_.on_notified(now);
    if (policy_.unconfirmed()) {
        yield_to_others(now);
    }
}

void GatewayStandIn::yield_to_others(TimePoint now) {
    // The old holder, when it runs again, claims the lease until it learns about this node.
    const NodeId holder = policy_.holder();
    const auto peer = parts_.replica.peers().find(holder);
    policy_.on_holder(peer != parts_.replica.peers().end() && !peer->second.promoted &&
                          peer->second.epoch >= parts_.replica.epoch(),
                      now);
    engine().yield(lease::Yields::to_ordered,
                   policy_.may_have_it_back(now) ? std::nullopt : std::optional(holder));
}

void GatewayStandIn::note_hello(NodeId sender, TimePoint now) {
    const auto peer = parts_.replica.peers().find(sender);
    if (sender != self() && peer != parts_.replica.peers().end()) {
        if (peer->second.promoted && !peer->second.stands_in) {
            policy_.on_promoted_elsewhere(sender);
        }
        policy_.on_yielding(sender, peer->second.yields, now);
    }
    if (policy_.phase() == StandIn::Phase::stands_in) {
        yield_to_others(now);
    }
}

void GatewayStandIn::confirm(TimePoint now, Effects& effects) {
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("Pacemaker promotes the node that stands in event=stand-in-confirmed {}",
                        tag())});
    policy_.on_promoted();
    parts_.lease.take(engine().promote(now), effects);
}

void GatewayStandIn::give_up_claim(std::string_view why, TimePoint now, Effects& effects) {
    policy_.fail(now);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("this node does not stand in: {} event=stand-in-refused {}", why, tag())});
    // The lease may be granted but not yet on the disk. The gate was never open.
    parts_.events.post(engine().holder().serving() ? LeaseOrder::decline : LeaseOrder::demote);
}

void GatewayStandIn::end(std::string_view why, TimePoint now, Effects& effects) {
    policy_.fail(now);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("stands in no more: {} event=stand-in-ended {}", why, tag())});
    const bool waits = parts_.takeover.waits_for_group();
    parts_.events.post(RoleLost{});
    if (waits) {
        parts_.events.post(StepEnded{false});
    }
}

int GatewayStandIn::score(unsigned loss) const {
    if (!policy_.wanted() || parts_.view.standing() != wire::Level::complete || loss > 0) {
        return 0;
    }
    if (parts_.takeover.state() == takeover::State::promoted) {
        return kScorePromoted;
    }
    return parts_.replica.holder() && rank_without({*parts_.replica.holder()}) == 0
               ? kScoreFirstToStandIn
               : 0;
}

std::optional<TimePoint> GatewayStandIn::next_deadline() const {
    return earliest(earliest(policy_.next_deadline(), pulse_.next_deadline()),
                    policy_.due(next_turn(), parts_.settings.lease.timing.renew));
}

}  // namespace vpnha::node
