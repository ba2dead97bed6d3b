// SPDX-License-Identifier: GPL-2.0-or-later
// Standing in for a holder that is not heard: when (stand_in.hpp) this gateway's standby does, and
// what follows. Safety is the lease's alone: a majority of the voters has no promise to anybody.
//
// The group may hear of it later: while a ring is being formed it takes no message, and its
// recovery may still deliver what the old holder has said, and other nodes have confirmed. A node
// that began its epoch before that would refuse it, and a session that was reported as protected
// would be lost. So the replica follows the old epoch until a barrier that was said after the grant
// comes back, or a quorate ring stands without the old holder. Data flows meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

bool GatewayNode::may_stand_in() const {
    const lease::Engine::State& lease = saved_.engine().state();
    const lease::Voter& voter = saved_.engine().voter();
    if (!stand_in_.wanted() || !attached() || detaching() || attachment_.resource().empty() ||
        takeover_.state() != takeover::State::standby || blockers_.resetting() ||
        !replica_.quorate() || !lease.quorate || lease.fenced || lease.alone ||
        !saved_.saves().work() || saved_.own_clock_astray() ||
        lease.voters.newest().nodes.size() < lease::kVotersToStandIn ||
        !saved_.engine().remembers()) {
        return false;
    }
    // Only an order ends it for all: whoever lapsed, or could not go on, leaves the others free. Of
    // an order a hello tells as well, whatever datagram was lost.
    const Epoch newest = std::max(voter.state().promise.epoch, replica_.epoch());
    const bool ended_by_order =
        std::any_of(replica_.peers().begin(), replica_.peers().end(), [&](const auto& peer) {
            return peer.second.ended_by_order && peer.second.epoch >= newest;
        });
    return last_holder() != NodeId{} && !ended_by_order &&
           !voter.ended_by_order(replica_.epoch()) && can_serve_all() &&
           links_.lost_for_coming() == 0;
}

bool GatewayNode::can_serve_all() const {
    // A kernel may refuse what it is still installing, as after a snapshot.
    return standing() == wire::Level::complete && replica_.installing_sessions() == 0;
}

std::size_t GatewayNode::rank_without(const std::set<NodeId>& gone) const {
    std::vector<NodeId> candidates{self()};
    for (const auto& [node, state] : replica_.peers()) {
        if (!gone.contains(node) && state.standing == wire::Level::complete &&
            !state.outside_lost && !state.inside_lost && state.epoch >= replica_.epoch()) {
            candidates.push_back(node);
        }
    }
    return StandIn::rank(std::move(candidates), others_.busy, self(), settings_.id);
}

std::optional<StandIn::Turn> GatewayNode::turn_to_stand_in() const {
    if (!may_stand_in()) {
        return std::nullopt;
    }
    const lease::Voter::Promise& promise = saved_.engine().voter().state().promise;
    const NodeId holder = last_holder();
    const std::optional<TimePoint> yielded = stand_in_.yielded_at(holder);
    const TimePoint until =
        promise.epoch == Epoch{} ? saved_.engine().voter().abstains_until() : promise.until;
    // Whose rounds of the newest epoch do not get here is told by the others' votes alone whether
    // that holder is heard.
    const bool is_of_newest = promise.epoch >= replica_.epoch();
    return StandIn::Turn{.holder = holder,
                         .promised_until = yielded.value_or(std::min(
                             until, saved_.engine().voter().in_vain_since().value_or(until))),
                         .released = is_of_newest && promise.released && !yielded,
                         .waits_until = others_.pulse.waits_until(),
                         .rank = rank_without({holder, is_of_newest ? promise.epoch.node : holder}),
                         .candidates = replica_.peers().size() + 1};
}

void GatewayNode::watch_stand_in(TimePoint now, Effects& effects) {
    stand_in_.forget_deposal(now);
    if (stand_in_.phase() == StandIn::Phase::asks) {
        if (!saved_.engine().state().wanted) {
            const std::optional<StandIn::Turn> turn = turn_to_stand_in();
            const bool promised = turn && !turn->released && now < turn->promised_until;
            if (!turn || turn->holder != stand_in_.holder() || promised) {
                stand_in_.stand_back();
                saved_.engine().stand_back();
            }
        } else if (stand_in_.claims_in_vain(saved_.has_said_claim(), now)) {
            give_up_claim("no majority granted it in time", now, effects);
            drain(now, effects);
        }
        return;
    }
    watch_standing_in(now, effects);
    drain(now, effects);
    std::optional<StandIn::Turn> turn = turn_to_stand_in();
    if (turn) {
        watch_pulse(*turn, now, effects);
        turn->waits_until = others_.pulse.waits_until();
    } else {
        others_.pulse.forget();
    }
    stand_in_.note_turn(turn, now);
    const auto due = stand_in_.due(turn, settings_.lease.timing.renew);
    if (due && now >= *due) {
        stand_in_.begin(turn->holder, now);
        history_.on_step(takeover::Step::grant, now);
        const std::string echo = others_.pulse.words(now);
        others_.pulse.forget();
        saved_.engine().set_checkpoint({});
        saved_.engine().note_claimed(replica_.highest_epoch());
        if (stand_in_.yielded_at(turn->holder)) {
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("node {} serves no more: this node claims the lease "
                                            "event=stand-in-claims {}",
                                            turn->holder.value, tag())});
            events_.post(LeaseOrder::claim);
            drain(now, effects);
            return;
        }
        voters_.note_position();
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("node {} is not heard, and {}: this node asks whether it would "
                            "be granted the lease event=stand-in-asks {}",
                            turn->holder.value, echo, tag())});
        saved_.take(saved_.engine().stand_in(now), effects);
        drain(now, effects);
    }
}

void GatewayNode::watch_pulse(const StandIn::Turn& turn, TimePoint now, Effects& effects) {
    const bool serves_nobody = turn.released || stand_in_.yielded_at(turn.holder) ||
                               others_.holder.died_in(replica_.epoch()) ||
                               saved_.engine().voter().in_vain_since() ||
                               !others_.members.contains(turn.holder);
    if (serves_nobody) {
        others_.pulse.forget();
        return;
    }
    others_.pulse.follow(turn.holder, turn.promised_until, saved_.engine().holder().timing().lease);
    if (others_.pulse.asks(now)) {
        effects.emplace_back(AskForEcho{turn.holder});
    }
}

void GatewayNode::watch_standing_in(TimePoint now, Effects& effects) {
    const bool sound = replica_.quorate() && saved_.engine().holder().serving();
    if (const StandIn::Reason why = stand_in_.over(sound, now); !why.empty()) {
        end_standing_in(why, now, effects);
        return;
    }
    if (stand_in_.takes_long(now)) {
        effects.emplace_back(Log{
            LogLevel::warning, fmt::format("this node stands in for node {}, and Pacemaker has not "
                                           "promoted it yet event=stand-in-long {}",
                                           stand_in_.holder().value, tag())});
    }
    if (stand_in_.tells(now) && others_.members.contains(stand_in_.holder())) {
        const std::string name = others_.members.name(stand_in_.holder());
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format("{} lives, and this node stands in for it; Pacemaker is notified "
                            "event=reported {}",
                            name, tag())});
        effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(), name});
    }
}

void GatewayNode::begin_standing_in(TimePoint now, Effects& effects) {
    stand_in_.on_granted(now, others_.holder.died_in(replica_.epoch()));
    effects.emplace_back(Log{
        LogLevel::warning,
        fmt::format("stands in for node {}, which {}; Pacemaker will follow "
                    "event=stand-in {} granted={}",
                    stand_in_.holder().value,
                    stand_in_.yielded_at(stand_in_.holder()) ? "serves no more" : "is not heard",
                    tag(), to_string(grants_.epoch()))});
    say_barrier(effects);
    events_.post(takeover_.stand_in());
}

void GatewayNode::say_barrier(Effects& effects) {
    const bool waits = stand_in_.phase() == StandIn::Phase::serves ||
                       stand_in_.phase() == StandIn::Phase::confirmed;
    if (waits && !stand_in_.barrier_came()) {
        effects.emplace_back(
            SendToGroup{speech_.encode(wire::Barrier{settings_.id, grants_.epoch()})});
    }
}

void GatewayNode::on_barrier(NodeId sender, const wire::Barrier& barrier, TimePoint now,
                             Effects& effects) {
    // In a ring without quorum others may go on without this node; each ring hears it anew.
    if (sender == self() && barrier.gateway == settings_.id && barrier.epoch == grants_.epoch() &&
        replica_.quorate()) {
        stand_in_.on_barrier();
        hear_group(now, effects);
    }
}

void GatewayNode::hear_group(TimePoint now, Effects& effects) {
    const bool heard = stand_in_.barrier_came() || !others_.members.contains(stand_in_.holder());
    // Who comes from another ring may have more than this node.
    if (!takeover_.waits_for_group() || !heard || !replica_.quorate() || !replica_.has_met_all()) {
        return;
    }
    if (replica_.level() == wire::Level::complete) {
        events_.post(StepEnded{true});
    } else {
        end_standing_in("its replica may have missed changes", now, effects);
    }
}

void GatewayNode::on_told(TimePoint now) {
    if (takeover_.state() != takeover::State::standing_in) {
        return;
    }
    stand_in_.on_told(now);
    if (stands_in()) {
        yield_to_others(now);
    }
}

void GatewayNode::yield_to_others(TimePoint now) {
    // The old holder claims anew by itself when it goes on, until it hears of this one.
    const NodeId holder = stand_in_.holder();
    const auto peer = replica_.peers().find(holder);
    stand_in_.on_holder(peer != replica_.peers().end() && !peer->second.promoted &&
                            peer->second.epoch >= replica_.epoch(),
                        now);
    saved_.engine().yield(lease::Yields::to_ordered,
                          stand_in_.may_have_it_back(now) ? std::nullopt : std::optional(holder));
}

void GatewayNode::note_standing_in(NodeId sender, TimePoint now) {
    const auto peer = replica_.peers().find(sender);
    if (sender != self() && peer != replica_.peers().end()) {
        if (peer->second.promoted && !peer->second.stands_in) {
            stand_in_.on_promoted_elsewhere(sender);
        }
        if (peer->second.stands_in) {
            score_.freeze();  // Pacemaker has yet to decide who is promoted.
        }
        stand_in_.on_yielding(sender, peer->second.yields, now);
    }
    if (stand_in_.phase() == StandIn::Phase::stands_in) {
        yield_to_others(now);
    }
}

void GatewayNode::confirm(RequestToken request, TimePoint now, Effects& effects) {
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("Pacemaker promotes the node that stands in event=stand-in-confirmed {}",
                        tag())});
    stand_in_.on_promoted();
    saved_.take(saved_.engine().promote(now), effects);
    drain(now, effects);
    effects.emplace_back(AnswerRequest{request, {}});
}

void GatewayNode::give_up_claim(std::string_view why, TimePoint now, Effects& effects) {
    stand_in_.fail(now);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("this node does not stand in: {} event=stand-in-refused {}", why, tag())});
    // Granted, perhaps, and the disk has not taken it yet: its gate was never open.
    events_.post(saved_.engine().holder().serving() ? LeaseOrder::decline : LeaseOrder::demote);
}

void GatewayNode::end_standing_in(std::string_view why, TimePoint now, Effects& effects) {
    stand_in_.fail(now);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("stands in no more: {} event=stand-in-ended {}", why, tag())});
    const bool waits = takeover_.waits_for_group();
    events_.post(RoleLost{});
    if (waits) {
        events_.post(StepEnded{false});
    }
}

void GatewayNode::stop_standing_in(RequestToken request, TimePoint now, Effects& effects) {
    if (!stands_in()) {
        effects.emplace_back(AnswerRequest{
            request,
            fail(Errc::invalid_argument,
                 fmt::format("this node does not stand in for gateway {}; what is promoted is "
                             "moved by Pacemaker",
                             settings_.name))});
        return;
    }
    transition_.wait_for_demotion(request);
    stand_in_.release_by_order();
    end_standing_in("an administrator has released it", now, effects);
    drain(now, effects);
}

int GatewayNode::score_for_standing_in(unsigned loss) const {
    if (!stand_in_.wanted() || standing() != wire::Level::complete || loss > 0) {
        return 0;
    }
    if (takeover_.state() == takeover::State::promoted) {
        return kScorePromoted;
    }
    return replica_.holder() && rank_without({*replica_.holder()}) == 0 ? kScoreFirstToStandIn : 0;
}

}  // namespace vpnha::node
