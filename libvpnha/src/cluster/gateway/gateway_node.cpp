// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

using takeover::Step;

}  // namespace

GatewayNode::GatewayNode(GatewaySettings settings, const Speech& speech,
                         std::span<const keepers::Make> families)
    : settings_(std::move(settings)),
      speech_(speech),
      replica_(settings_.id, self()),
      saved_(settings_.id, settings_.lease, settings_.durable, settings_.started_at, events_),
      keepers_({settings_.id, settings_.name, attachment_, replica_, takeover_, saved_.engine(),
                others_.clock},
               settings_.keepers, families),
      gate_(settings_.id),
      keeper_steps_({keepers_, replica_, saved_.engine(), grants_}),
      others_{{}, {}, replica::GatewayClock(settings_.id)},
      voters_({settings_, saved_, replica_, others_.members, keepers_}),
      wishes_{{}, {settings_.id, self()}},
      stand_in_(settings_.stand_in),
      links_(settings_.links) {
    history_.note_role(role(), settings_.started_at);
}

void GatewayNode::promote(RequestToken request, TimePoint now, Effects& effects) {
    if (waits() && !detaching()) {
        effects.emplace_back(AnswerRequest{request, {}});
        return;
    }
    if (takeover_.state() == takeover::State::draining) {
        saved_.take(saved_.engine().on_time(now),
                    effects);  // It may have ended, and its timer not have come.
        drain(now, effects);
    }
    const bool serves_unasked = stands_in() || stand_in_.phase() == StandIn::Phase::confirmed;
    if (serves_unasked && !detaching() && replica_.quorate()) {
        confirm(request, now, effects);
        return;
    }
    if (!attached() || detaching() || takeover_.busy() || blockers_.resetting()) {
        effects.emplace_back(AnswerRequest{
            request,
            fail(Errc::busy, fmt::format("gateway {} is {}; try again", settings_.name,
                                         !attached()             ? "not attached"
                                         : blockers_.resetting() ? "ending its stock services"
                                                                 : to_string(takeover_.state())))});
        return;
    }
    if (!replica_.quorate()) {
        effects.emplace_back(AnswerRequest{
            request, fail(Errc::unreachable,
                          fmt::format("gateway {} is not promoted without quorum: another node may "
                                      "serve it where this one cannot see it",
                                      settings_.name))});
        return;
    }
    effects.emplace_back(
        Log{LogLevel::info, fmt::format("asked to serve event=promotion-asked {}", tag())});
    transition_.wait_for_promotion(request);
    stand_in_.on_promoted();
    wishes_.planned.on_promotion(replica_.epoch(), now);
    if (takeover_.serves()) {
        saved_.take(saved_.engine().promote(now), effects);  // Draining no more.
        drain(now, effects);
    }
    events_.post(takeover_.promote());
    drain(now, effects);
}

void GatewayNode::demote(RequestToken request, TimePoint now, Effects& effects) {
    transition_.wait_for_demotion(request);
    stand_in_.undepose();
    score_.expect_withdrawn(now);
    if (takeover_.state() == takeover::State::standing_in) {
        end_standing_in("this node is demoted", now, effects);
        drain(now, effects);
        return;
    }
    stand_in_.end();
    const bool lapsed = takeover_.serves() && !saved_.engine().holder().serving();
    events_.post(takeover_.demote());
    events_.post(LeaseOrder::demote);
    drain(now, effects);
    if (lapsed) {
        events_.post(RoleLost{});
    } else if (grants_.awaited() || grants_.replica_awaited_until()) {
        refuse_grant("it was demoted meanwhile");
    }
    drain(now, effects);
}

Result<void> GatewayNode::confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                       Effects& effects) {
    VPNHA_CHECK(voters_.confirm_dead(victim, by, now, effects));
    drain(now, effects);
    return {};
}

Result<void> GatewayNode::vote_without(NodeId node, TimePoint now, Effects& effects) {
    VPNHA_CHECK(voters_.vote_without(node, now, effects));
    drain(now, effects);
    return {};
}

void GatewayNode::ask_witness(TimePoint now, Effects& effects) {
    voters_.ask_witness(effects);
    drain(now, effects);
}

Result<void> GatewayNode::fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                Effects& effects) {
    VPNHA_CHECK(voters_.fence(victim, boot, now, effects));
    drain(now, effects);
    return {};
}

void GatewayNode::set_voters(std::vector<NodeId> voters, TimePoint now, Effects& effects) {
    voters_.configure(std::move(voters), now, effects);
    drain(now, effects);
}

void GatewayNode::drain(TimePoint now, Effects& effects) {
    events_.drain([&](InternalEvent&& event) { handle(std::move(event), now, effects); });
}

void GatewayNode::handle(InternalEvent&& event, TimePoint now, Effects& effects) {
    if (const auto* next = std::get_if<takeover::Next>(&event)) {
        follow(*next, now, effects);
    } else if (const auto* ended = std::get_if<StepEnded>(&event)) {
        follow(takeover_.on_step(ended->succeeded), now, effects);
    } else if (std::holds_alternative<RoleLost>(event)) {
        follow(takeover_.lost(), now, effects);
    } else if (std::holds_alternative<GateShuts>(event)) {
        stand_in_.end();
        gate_.shut(epoch_of_step(), saved_.engine().holder().state().deadline, effects);
    } else if (auto* ready = std::get_if<LeaseReady>(&event)) {
        carry_out(std::move(ready->effects), now, effects);
    } else if (const auto* order = std::get_if<LeaseOrder>(&event)) {
        saved_.obey(*order, now, effects);
    } else if (std::holds_alternative<VotersDue>(event)) {
        voters_.adapt(now, effects);
    } else if (const auto* granted = std::get_if<lease::Granted>(&event)) {
        on_granted(*granted, now, effects);
    } else if (const auto* over = std::get_if<lease::Ended>(&event)) {
        on_lease_ended(*over, now, effects);
    }
}

void GatewayNode::follow(const takeover::Next& next, TimePoint now, Effects& effects) {
    if (next.finished) {
        finish(next.succeeded, now, effects);
        return;
    }
    if (!next.step) {
        return;
    }
    history_.on_step(*next.step, now);
    switch (*next.step) {
        case Step::grant:
            begin_grant(now, effects);
            return;
        case Step::hear_group:
            hear_group(now, effects);
            return;
        case Step::warm_counters:
            keeper_steps_.begin_warming(now);
            go_on_warming(now, effects);
            return;
        case Step::activate_services:
        case Step::deactivate_services:
            keeper_steps_.begin_turning(now);
            go_on_turning(now, effects);
            return;
        case Step::mute_sessions:
            if (keeper_steps_.hands_over()) {
                return;  // The last counters have yet to be said in this epoch.
            }
            [[fallthrough]];
        case Step::claim:
        case Step::resume_sessions:
        case Step::install_hot:
            run_inner_step(*next.step, now, effects);
            return;
        case Step::open_gate:
            gate_.open(grants_.epoch(), epoch_of_step(), saved_.engine().holder().state().deadline,
                       effects);
            return;
        case Step::shut_gate:
            gate_.keep_shut();
            if (gate_.lets_out_until()) {
                return;  // What is within this node leaves it first: see go_on_leaving().
            }
            saved_.take(saved_.engine().release(detaching() || stand_in_.released_by_order(), now),
                        effects);
            events_.post(GateShuts{});
            return;
        case Step::add_addresses:
        case Step::announce:
        case Step::remove_addresses:
        case Step::reset_services:
            break;
    }
    effects.emplace_back(RunStep{settings_.id, *next.step, epoch_of_step(),
                                 saved_.engine().holder().state().deadline});
}

Epoch GatewayNode::epoch_of_step() const {
    const bool stands_in = takeover_.state() == takeover::State::standing_in;
    return stands_in ? grants_.epoch() : replica_.epoch();
}

void GatewayNode::run_inner_step(Step step, TimePoint now, Effects& effects) {
    Result<void> result;
    switch (step) {
        case Step::claim:
            result = claim(now, effects);
            if (result) {
                on_told(now);
            }
            break;
        case Step::resume_sessions:
            keepers_.promote(now, effects);
            break;
        case Step::mute_sessions:
            keepers_.mute(effects);
            others_.announcements.clear();
            if (replica_.promoted()) {
                replica_.end_epoch(now);
            }
            break;
        case Step::install_hot:
            if (!detaching() || keeps_records()) {
                keepers_.install_missing(now, effects);
            }
            break;
        default:
            VPNHA_ASSERT(false);
    }
    if (!result) {
        transition_.fail(fmt::format("{}: {}", to_string(step), result.error().detail));
    }
    events_.post(StepEnded{result.has_value()});
}

void GatewayNode::on_step_done(Step step, const Result<void>& result, TimePoint now,
                               Effects& effects) {
    if (!result) {
        effects.emplace_back(Log{
            LogLevel::error,
            fmt::format("step {} failed {}: {}", to_string(step), tag(), result.error().detail)});
        std::string why = fmt::format("{}: {}", to_string(step), result.error().detail);
        if (step == Step::shut_gate) {
            transition_.fail(std::move(why));
        } else {
            transition_.fail_after(std::move(why));
        }
    } else if (step == Step::add_addresses) {
        keepers_.on_addresses(effects);
    } else if (step == Step::open_gate) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("gate opened event=gate-open {}", tag())});
        history_.on_opened(grants_.epoch(), now);
        wishes_.planned.on_opened(replica_.epoch());
        gate_.begin_giving_back(now);
        go_on_giving_back(now, effects);
    } else if (step == Step::announce) {
        plan_announcements(now);
        keepers_.on_open(now, effects);
    }
    if (step == Step::reset_services) {
        if (blockers_.on_services_reset(result.has_value(), now)) {
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("the stock services have ended at last {}", tag())});
        }
        if (blockers_.end_resetting()) {
            return;
        }
    }
    events_.post(StepEnded{result.has_value()});
    drain(now, effects);
}

void GatewayNode::finish(bool succeeded, TimePoint now, Effects& effects) {
    using Role = std::pair<std::string_view, std::string_view>;
    const takeover::State state = takeover_.state();
    const Role role = stands_in()
                          ? Role("stands in, and the group knows", "event=stand-in-announced")
                      : state == takeover::State::promoted ? Role("promoted", "event=promoted")
                      : state == takeover::State::draining ? Role("draining", "event=draining")
                                                           : Role("unpromoted", "event=demoted");
    if (transition_.satisfies_all(succeeded, takeover_.serves())) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("now {} {} {} sessions={}", role.first, role.second,
                                            tag(), keepers_.session_totals().all)});
    }
    if (state == takeover::State::promoted) {
        effects.emplace_back(WatchServices{settings_.id});
    }
    history_.on_finished(now);
    end_move(state == takeover::State::promoted);
    transition_.finish(succeeded, takeover_.serves(), effects);
    if (detaching() && takeover_.state() == takeover::State::standby) {
        succeeded ? leave(now, effects) : end_attachment(effects);
    }
    if (state == takeover::State::promoted) {
        heed_lapse(now, effects);
    }
}

void GatewayNode::on_probe(Effects& effects) {
    if (const std::optional<int> written = score_.written()) {
        effects.emplace_back(WriteScore{settings_.id, attachment_.resource(), *written});
    }
}

void GatewayNode::remove_everything(Effects& effects) {
    keepers_.detach(effects);
    replica_ = replica::Replica(settings_.id, self(), replica_.highest_epoch());
    blockers_.clear();
    attachment_.end();
    wishes_.planned = PlannedMove(settings_.id, self());
    stand_in_.end();
    stand_in_.undepose();
    score_.forget();
}

void GatewayNode::on_members(const std::set<NodeId>& members, bool quorate, TimePoint now,
                             Effects& effects) {
    // Pacemaker is about to decide; a score that changed now would abort its transition.
    if (replica_.epoch().number != 0) {
        score_.freeze();
    } else {
        score_.thaw();
    }
    others_.members.set(members, now);
    saved_.take(saved_.engine().on_members(members, quorate, now), effects);
    drain(now, effects);
    if (waits()) {
        grants_.await(now + settings_.lease.timing.draining);  // Who comes back abstains at first.
    }
    if (attached()) {
        replica_.on_members(members, quorate, now);
        if (claim_is_due()) {
            claim_anew(now, effects);
            drain(now, effects);
        }
        hear_group(now, effects);
        drain(now, effects);
        say_barrier(effects);
        keepers_.on_replica(now, effects);
        watch_holder(now, effects);
    }
}

void GatewayNode::on_message(NodeId sender, const wire::Message& message, TimePoint now,
                             Effects& effects) {
    // Another node may have been granted the lease since, and have heard the group up to before
    // what is confirmed here: that protects nothing. The next epoch is confirmed from its start.
    const lease::Holder& lease = saved_.engine().holder();
    // Its own, from before its promotion, only makes room for the next.
    const bool comes_late = std::holds_alternative<wire::Confirm>(message) && sender != self() &&
                            replica_.promoted() && (!lease.serving() || lease.lapsed(now));
    if (!attached() || comes_late) {
        return;
    }
    if (const auto* end = std::get_if<wire::SnapshotEnd>(&message)) {
        log_lost(sender, *end, effects);
    }
    take(replica_.on_message(sender, message, now), now, effects);
    keepers_.on_replica(now, effects);
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        others_.members.introduce(sender, hello->node_name);
        others_.holder.note(sight());
        if (replica_.holder() == sender) {
            score_.thaw();  // The holder serves in the new ring.
        }
        note_standing_in(sender, now);
        hear_group(now, effects);
        drain(now, effects);
        watch_holder(now, effects);
    } else if (const auto* barrier = std::get_if<wire::Barrier>(&message)) {
        on_barrier(sender, *barrier, now, effects);
        drain(now, effects);
    } else if (const auto* move = std::get_if<wire::Move>(&message)) {
        on_move(sender, *move, now, effects);
    } else if (const auto* clock = std::get_if<wire::Clock>(&message)) {
        on_clock(sender, *clock, now, effects);
    } else if (std::holds_alternative<wire::SnapshotRequest>(message)) {
        others_.clock.on_asked();
    }
}

void GatewayNode::on_malformed(NodeId sender, TimePoint now, Effects& effects) {
    if (attached()) {
        take(replica_.on_malformed(sender, now), now, effects);
    }
}

void GatewayNode::resync(TimePoint now, Effects& effects) {
    take(replica_.resync(now), now, effects);
}

void GatewayNode::take(replica::Effects&& from, TimePoint now, Effects& effects) {
    for (replica::Effect& effect : from) {
        if (auto* send = std::get_if<replica::Send>(&effect)) {
            effects.emplace_back(SendToGroup{speech_.encode(send->message)});
        } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
            keepers_.install(*wanted, now, effects);
        } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
            keepers_.remove(remove->key, effects);
        } else if (auto* superseded = std::get_if<replica::Superseded>(&effect)) {
            if (stand_in_.wanted() && is_promoted()) {
                stand_in_.depose(now);
                // The node that stands in tells Pacemaker of a member only: this one may have been
                // none.
                effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(),
                                                   others_.members.name(self())});
            }
            effects.emplace_back(
                Log{LogLevel::error, fmt::format("another node claimed epoch {}; this one falls "
                                                 "silent event=superseded {}",
                                                 to_string(superseded->epoch), tag())});
            events_.post(RoleLost{});
            drain(now, effects);  // What it is to install belongs to the other one's epoch.
        } else if (auto* begun = std::get_if<replica::ResyncBegun>(&effect)) {
            effects.emplace_back(
                Log{LogLevel::warning, fmt::format("resync requested event=resync {}: "
                                                   "{}",
                                                   tag(), to_string(begun->reason))});
        } else if (auto* implausible = std::get_if<replica::Implausible>(&effect)) {
            effects.emplace_back(
                Log{LogLevel::error,
                    fmt::format("node {} sends epoch {}, which nobody can have reached: its "
                                "messages with such an epoch are dropped "
                                "event=implausible-epoch {} sender={}; restart vpnhad there",
                                implausible->sender.value, to_string(implausible->epoch), tag(),
                                implausible->sender.value)});
        } else {
            keepers_.on_in_sync(now);
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("the replica is complete event=in-sync {} records={}",
                                            tag(), replica_.store().count())});
        }
    }
}

void GatewayNode::on_event(const KeeperEvent& event, TimePoint now, Effects& effects) {
    keepers_.on_event(event, now, effects);
}

void GatewayNode::on_time(TimePoint now, Effects& effects) {
    voters_.note_lateness(now);
    saved_.take(saved_.engine().on_time(now), effects);
    drain(now, effects);
    voters_.on_time(now, effects);
    saved_.probe_disk(now, effects);
    if (grants_.awaited() && now >= *grants_.awaited_until()) {
        end_grant(now, effects);
        drain(now, effects);
    }
    watch_holder(now, effects);
    replica_.end_meeting(now);
    hear_group(now, effects);
    drain(now, effects);
    watch_stand_in(now, effects);
    wishes_.planned.on_time(now);
    if (attached()) {
        ask_neighbours(now, effects);
        keepers_.on_time(now, effects);
    }
    if (takeover_.state() == takeover::State::standby && blockers_.reset_again(now)) {
        effects.emplace_back(RunStep{settings_.id, Step::reset_services, replica_.epoch(), {}});
    }
    if (std::erase_if(others_.announcements, [now](TimePoint at) { return at <= now; }) != 0) {
        effects.emplace_back(Announce{settings_.id});
    }
}

void GatewayNode::flush(TimePoint now, Effects& effects) {
    // Who is about to leave has nothing more to say. Who has left is asked for its records.
    if (attached() && (!detaching() || attachment_.stopped() || takeover_.serves() ||
                       keeper_steps_.hands_over())) {
        claim_above_members(now, effects);
        keepers_.follow(now, effects);
        take(replica_.flush(now), now, effects);
        flush_clock(now, effects);
        keeper_steps_.note_counters();
        watch_links(now, effects);
        watch_own_lease(now, effects);
        for (const wire::Move& move : wishes_.planned.take_due()) {
            effects.emplace_back(SendToGroup{speech_.encode(move)});
        }
        write_score(now, effects);
    }
}

std::optional<TimePoint> GatewayNode::next_deadline() const {
    std::optional<TimePoint> at =
        earliest(saved_.engine().next_deadline(), grants_.awaited_until());
    at = earliest(earliest(at, voters_.next_deadline()), saved_.saves().next_probe());
    if (!attached()) {
        return at;
    }
    at = earliest(earliest(at, replica_.next_deadline()), others_.clock.next_deadline());
    at = earliest(at, keepers_.next_deadline());
    for (const TimePoint announcement : others_.announcements) {
        at = earliest(at, announcement);
    }
    if (takeover_.state() == takeover::State::standby) {
        at = earliest(at, blockers_.next_reset());
    }
    at = earliest(earliest(at, gate_.next_deadline()), keeper_steps_.next_deadline());
    at = earliest(at, links_.next_deadline());
    at = earliest(at, others_.holder.next_deadline(sight()));
    at = earliest(earliest(at, wishes_.own_lease.next_deadline(best_standby().has_value())),
                  earliest(score_.next_deadline(), wishes_.planned.next_deadline()));
    at = earliest(earliest(at, stand_in_.next_deadline()), others_.pulse.next_deadline());
    at = earliest(at, grants_.replica_awaited_until());
    at = earliest(at, replica_.meeting_until());
    at = earliest(at, attachment_.kept_until());
    return earliest(at, stand_in_.due(turn_to_stand_in(), settings_.lease.timing.renew));
}

}  // namespace vpnha::node
