// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_clocks.hpp"

namespace vpnha::node {

namespace {

using takeover::Step;

}  // namespace

GatewayNode::GatewayNode(GatewaySettings settings, const Speech& speech,
                         std::span<const keepers::Make> families)
    : cores_(std::move(settings), speech, families),
      voters_({cores_.settings, cores_.lease, cores_.replica, cores_.members, cores_.keepers}),
      links_({cores_.settings, view_, cores_.replica, cores_.lease, cores_.members, voters_,
              cores_.keepers}),
      moves_({cores_.settings, cores_.speech, view_, cores_.attachment, cores_.replica,
              links_.state(), cores_.keepers}),
      reports_({cores_.settings, cores_.attachment, view_, cores_.replica, cores_.lease,
                cores_.members, cores_.keepers}),
      lease_({cores_.settings, cores_.speech, cores_.events, cores_.replica, cores_.lease,
              cores_.keepers, voters_, view_, cores_.transition}),
      stand_in_({cores_.settings, cores_.speech, cores_.events, cores_.attachment, cores_.replica,
                 cores_.lease, cores_.takeover, view_, lease_.grants(), cores_.blockers,
                 cores_.members, reports_.holder(), moves_, links_.state(), voters_, cores_.history,
                 cores_.keepers}),
      role_({cores_, view_, lease_, stand_in_, links_, moves_}),
      score_({cores_.settings, cores_.attachment, view_, cores_.replica, cores_.lease,
              cores_.blockers, links_, moves_, stand_in_}),
      view_({cores_.settings, cores_.attachment, cores_.replica, cores_.takeover, cores_.lease,
             lease_.grants(), cores_.blockers, cores_.members, voters_, reports_.holder(),
             links_.own_lease(), moves_.planned(), stand_in_.policy(), links_.state(),
             score_.score(), cores_.history}) {
    cores_.history.note_role(view_.role(), cores_.settings.started_at);
}

void GatewayNode::detach(RequestToken request, TimePoint now, Effects& effects) {
    if (starts().begin_leaving(request, effects)) {
        demote(request, now, effects);
    }
}

void GatewayNode::promote(RequestToken request, TimePoint now, Effects& effects) {
    const Attachment& attachment = cores_.attachment;
    if (view_.waits() && !attachment.leaving()) {
        effects.emplace_back(AnswerRequest{request, {}});
        return;
    }
    if (cores_.takeover.state() == takeover::State::draining) {
        // The lease may have ended before its timer fired.
        cores_.lease.take(cores_.lease.engine().on_time(now), effects);
        handle_events(now, effects);
    }
    const bool serves_unasked =
        view_.stands_in() || stand_in_.policy().phase() == StandIn::Phase::confirmed;
    if (serves_unasked && !attachment.leaving() && cores_.replica.quorate()) {
        stand_in_.confirm(now, effects);
        handle_events(now, effects);
        effects.emplace_back(AnswerRequest{request, {}});
        return;
    }
    if (!attachment.attached() || attachment.leaving() || cores_.takeover.busy() ||
        cores_.blockers.resetting()) {
        effects.emplace_back(AnswerRequest{
            request,
            fail(Errc::busy,
                 fmt::format("gateway {} is {}; try again", cores_.settings.name,
                             !attachment.attached()        ? "not attached"
                             : cores_.blockers.resetting() ? "ending its stock services"
                                                           : to_string(cores_.takeover.state())))});
        return;
    }
    if (!cores_.replica.quorate()) {
        effects.emplace_back(AnswerRequest{
            request, fail(Errc::unreachable,
                          fmt::format("gateway {} is not promoted without quorum: another node may "
                                      "serve it where this one cannot see it",
                                      cores_.settings.name))});
        return;
    }
    effects.emplace_back(
        Log{LogLevel::info, fmt::format("asked to serve event=promotion-asked {}", tag())});
    cores_.transition.wait_for_promotion(request);
    stand_in_.policy().on_promoted();
    moves_.on_promotion(now);
    if (cores_.takeover.serves()) {
        // The node no longer drains.
        cores_.lease.take(cores_.lease.engine().promote(now), effects);
        handle_events(now, effects);
    }
    cores_.events.post(cores_.takeover.promote());
    handle_events(now, effects);
}

void GatewayNode::demote(RequestToken request, TimePoint now, Effects& effects) {
    cores_.transition.wait_for_demotion(request);
    stand_in_.policy().undepose();
    score_.score().expect_withdrawn(now);
    if (cores_.takeover.state() == takeover::State::standing_in) {
        stand_in_.end("this node is demoted", now, effects);
        handle_events(now, effects);
        return;
    }
    stand_in_.policy().end();
    const bool lapsed = cores_.takeover.serves() && !cores_.lease.engine().holder().serving();
    cores_.events.post(cores_.takeover.demote());
    cores_.events.post(LeaseOrder::demote);
    handle_events(now, effects);
    if (lapsed) {
        cores_.events.post(RoleLost{});
    } else if (lease_.grants().awaited() || lease_.grants().replica_awaited_until()) {
        lease_.refuse_grant("it was demoted meanwhile");
    }
    handle_events(now, effects);
}

void GatewayNode::on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                               Effects& effects) {
    role_.on_step_done(step, result, now, effects);
    handle_events(now, effects);
}

void GatewayNode::handle_events(TimePoint now, Effects& effects) {
    cores_.events.drain([&](InternalEvent&& event) { handle(std::move(event), now, effects); });
}

void GatewayNode::handle(InternalEvent&& event, TimePoint now, Effects& effects) {
    if (const auto* next = std::get_if<takeover::Next>(&event)) {
        role_.follow(*next, now, effects);
    } else if (const auto* ended = std::get_if<StepEnded>(&event)) {
        role_.follow(cores_.takeover.on_step(ended->succeeded), now, effects);
    } else if (std::holds_alternative<RoleLost>(event)) {
        role_.follow(cores_.takeover.lost(), now, effects);
    } else if (std::holds_alternative<GateShuts>(event)) {
        role_.shut_gate(effects);
    } else if (auto* ready = std::get_if<LeaseReady>(&event)) {
        carry_out(std::move(ready->effects), now, effects);
    } else if (const auto* order = std::get_if<LeaseOrder>(&event)) {
        cores_.lease.obey(*order, now, effects);
    } else if (std::holds_alternative<VotersDue>(event)) {
        voters_.adapt(now, effects);
    } else if (std::holds_alternative<CountersSent>(event)) {
        role_.on_counters_sent(now, effects);
    } else if (const auto* left = std::get_if<RoleLeft>(&event)) {
        starts().leave(*left, now, effects);
    } else if (const auto* granted = std::get_if<lease::Granted>(&event)) {
        role_.on_granted(*granted, now, effects);
    } else if (const auto* over = std::get_if<lease::Ended>(&event)) {
        role_.on_lease_ended(*over, now, effects);
    }
}

void GatewayNode::on_members(const std::set<NodeId>& members, bool quorate, TimePoint now,
                             Effects& effects) {
    // Pacemaker is about to decide; a score that changed now would abort its transition.
    if (cores_.replica.epoch().number != 0) {
        score_.score().freeze();
    } else {
        score_.score().thaw();
    }
    cores_.members.set(members, now);
    cores_.lease.take(cores_.lease.engine().on_members(members, quorate, now), effects);
    handle_events(now, effects);
    lease_.on_members(now);
    if (cores_.attachment.attached()) {
        cores_.replica.on_members(members, quorate, now);
        if (lease_.claim_is_due()) {
            lease_.claim_anew(now, effects);
            handle_events(now, effects);
        }
        stand_in_.await_group(now, effects);
        handle_events(now, effects);
        stand_in_.emit_barrier(effects);
        cores_.keepers.on_replica(now, effects);
        watch_holder(now, effects);
    }
}

void GatewayNode::on_message(NodeId sender, const wire::Message& message, TimePoint now,
                             Effects& effects) {
    // Another node may have been granted the lease since, without the changes that are confirmed
    // here. Such a confirmation protects nothing. The next epoch is confirmed from its start.
    const lease::Holder& lease = cores_.lease.engine().holder();
    // The node's own message, from before its promotion, only makes room for the next one.
    const bool comes_late = std::holds_alternative<wire::Confirm>(message) &&
                            sender != view_.self() && cores_.replica.promoted() &&
                            (!lease.serving() || lease.lapsed(now));
    if (!cores_.attachment.attached() || comes_late) {
        return;
    }
    if (const auto* end = std::get_if<wire::SnapshotEnd>(&message)) {
        reports_.log_lost(sender, *end, effects);
    }
    take(cores_.replica.on_message(sender, message, now), now, effects);
    cores_.keepers.on_replica(now, effects);
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        cores_.members.introduce(sender, hello->node_name);
        reports_.note();
        if (cores_.replica.holder() == sender) {
            score_.score().thaw();  // The holder serves in the new ring.
        }
        if (sender != view_.self() && view_.state_of(sender).stands_in) {
            score_.score().freeze();  // Pacemaker has yet to decide who is promoted.
        }
        stand_in_.note_hello(sender, now);
        stand_in_.await_group(now, effects);
        handle_events(now, effects);
        watch_holder(now, effects);
    } else if (const auto* barrier = std::get_if<wire::Barrier>(&message)) {
        stand_in_.on_barrier(sender, *barrier, now, effects);
        handle_events(now, effects);
    } else if (const auto* move = std::get_if<wire::Move>(&message)) {
        moves_.on_message(sender, *move, now, effects);
    } else if (const auto* clock = std::get_if<wire::Clock>(&message)) {
        on_clock(cores_, view_, sender, *clock, now, effects);
    } else if (std::holds_alternative<wire::SnapshotRequest>(message)) {
        cores_.clock.on_asked();
    }
}

void GatewayNode::on_malformed(NodeId sender, TimePoint now, Effects& effects) {
    if (cores_.attachment.attached()) {
        take(cores_.replica.on_malformed(sender, now), now, effects);
    }
}

void GatewayNode::resync(TimePoint now, Effects& effects) {
    take(cores_.replica.resync(now), now, effects);
}

void GatewayNode::take(replica::Effects&& from, TimePoint now, Effects& effects) {
    for (replica::Effect& effect : from) {
        if (auto* send = std::get_if<replica::Send>(&effect)) {
            effects.emplace_back(SendToGroup{cores_.speech.encode(send->message)});
        } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
            cores_.keepers.install(*wanted, now, effects);
        } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
            cores_.keepers.remove(remove->key, effects);
        } else if (auto* superseded = std::get_if<replica::Superseded>(&effect)) {
            if (stand_in_.policy().wanted() && view_.is_promoted()) {
                stand_in_.policy().depose(now);
                // The node that stands in informs Pacemaker about members only. This node may not
                // have been a member.
                effects.emplace_back(WithdrawScore{cores_.settings.id, cores_.attachment.resource(),
                                                   cores_.members.name(view_.self())});
            }
            effects.emplace_back(
                Log{LogLevel::error, fmt::format("another node claimed epoch {}; this one falls "
                                                 "silent event=superseded {}",
                                                 to_string(superseded->epoch), tag())});
            cores_.events.post(RoleLost{});
            handle_events(now, effects);  // What it is to install belongs to the other one's epoch.
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
            cores_.keepers.on_in_sync(now);
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("the replica is complete event=in-sync {} records={}",
                                            tag(), cores_.replica.store().count())});
        }
    }
}

void GatewayNode::on_event(const KeeperEvent& event, TimePoint now, Effects& effects) {
    cores_.keepers.on_event(event, now, effects);
}

void GatewayNode::on_time(TimePoint now, Effects& effects) {
    voters_.note_lateness(now);
    cores_.lease.take(cores_.lease.engine().on_time(now), effects);
    handle_events(now, effects);
    voters_.on_time(now, effects);
    cores_.lease.probe_disk(now, effects);
    lease_.on_time(now, effects);
    handle_events(now, effects);
    watch_holder(now, effects);
    cores_.replica.end_meeting(now);
    stand_in_.await_group(now, effects);
    handle_events(now, effects);
    if (!stand_in_.watch_claim(now, effects)) {
        stand_in_.watch_standing_in(now, effects);
        handle_events(now, effects);
        stand_in_.watch_turn(now, effects);
    }
    handle_events(now, effects);
    moves_.on_time(now);
    if (cores_.attachment.attached()) {
        links_.ask_neighbours(now, effects);
        cores_.keepers.on_time(now, effects);
    }
    if (cores_.takeover.state() == takeover::State::standby && cores_.blockers.reset_again(now)) {
        effects.emplace_back(
            RunStep{cores_.settings.id, Step::reset_services, cores_.replica.epoch(), {}});
    }
    links_.announce_due(now, effects);
}

void GatewayNode::flush(TimePoint now, Effects& effects) {
    // A node that is about to leave sends nothing more. A node that has left sends its records.
    const Attachment& attachment = cores_.attachment;
    if (attachment.attached() && (!attachment.leaving() || attachment.stopped() ||
                                  cores_.takeover.serves() || role_.hands_over())) {
        lease_.claim_above_members(now, effects);
        handle_events(now, effects);
        cores_.keepers.follow(now, effects);
        take(cores_.replica.flush(now), now, effects);
        flush_clock(cores_, now, effects);
        role_.note_counters();
        links_.watch_links(now, effects);
        links_.watch_own_lease(now, effects);
        moves_.flush(effects);
        score_.write(now, effects);
    }
}

std::optional<TimePoint> GatewayNode::next_deadline() const {
    std::optional<TimePoint> at =
        earliest(cores_.lease.engine().next_deadline(), lease_.grants().awaited_until());
    at = earliest(earliest(at, voters_.next_deadline()), cores_.lease.saves().next_probe());
    if (!cores_.attachment.attached()) {
        return at;
    }
    at = earliest(earliest(at, cores_.replica.next_deadline()), cores_.clock.next_deadline());
    at = earliest(at, cores_.keepers.next_deadline());
    if (cores_.takeover.state() == takeover::State::standby) {
        at = earliest(at, cores_.blockers.next_reset());
    }
    at = earliest(earliest(at, role_.next_deadline()), links_.next_deadline());
    at = earliest(at, reports_.holder().next_deadline(view_.sight()));
    at = earliest(earliest(at, score_.score().next_deadline()), moves_.planned().next_deadline());
    at = earliest(at, lease_.grants().replica_awaited_until());
    at = earliest(at, cores_.replica.meeting_until());
    at = earliest(at, cores_.attachment.kept_until());
    return earliest(at, stand_in_.next_deadline());
}

void GatewayNode::on_lease_message(const lease::Sender& sender, const lease::Message& message,
                                   TimePoint now, Effects& effects) {
    voters_.before_message(sender, message, now);
    if (stand_in_.policy().phase() == StandIn::Phase::stands_in) {
        stand_in_.yield_to_others(now);
    }
    cores_.history.on_message(sender, message, now);
    cores_.lease.take(cores_.lease.engine().on_message(sender, message, now), effects);
    handle_events(now, effects);
    voters_.after_message(sender, message, now);
    if (lease::is_witness(sender.node)) {
        reports_.on_word_of_witness(message, now);
    }
    reports_.note();
    if (reports_.holder().unreceived()) {
        watch_holder(now, effects);
    }
    // The sender was out of reach when it was fenced. It now receives the request it missed then.
    const bool is_about_marks = std::holds_alternative<lease::MarkRequest>(message) ||
                                std::holds_alternative<lease::MarkAnswer>(message);
    if (!is_about_marks && cores_.lease.engine().voter().is_marked(sender.node, sender.boot)) {
        cores_.lease.take({lease::Send{sender.node, lease::MarkRequest{sender.node, sender.boot}}},
                          effects);
        handle_events(now, effects);
    }
}

void GatewayNode::on_lease_saved(std::uint64_t ticket, const Result<void>& result, TimePoint now,
                                 Effects& effects) {
    const bool is_news = cores_.lease.on_saved(ticket, result.has_value(), now);
    cores_.blockers.set_saves(cores_.lease.saves().work());
    if (is_news) {
        effects.emplace_back(
            result
                ? Log{LogLevel::info, fmt::format("the lease is saved again event=saved {}", tag())}
                : Log{LogLevel::error,
                      fmt::format("this node does not vote, and is granted nothing, until it can "
                                  "save what it sends event=not-saved {}: {}",
                                  tag(), result.error().detail)});
    }
    handle_events(now, effects);
}

void GatewayNode::carry_out(lease::Effects&& from, TimePoint now, Effects& effects) {
    voters_.watch_lists(effects);
    // The end of the lease is handled last: the successor is answered before this node clears up.
    std::optional<lease::Ended> ended;
    std::optional<lease::Granted> granted;
    for (lease::Effect& effect : from) {
        if (auto* send = std::get_if<lease::Send>(&effect)) {
            effects.emplace_back(SendLease{cores_.settings.id, send->to, std::move(send->message)});
        } else if (const auto* gate = std::get_if<lease::SetDeadline>(&effect)) {
            role_.gate().on_deadline(gate->deadline, effects);
        } else if (const auto* leave = std::get_if<lease::Leave>(&effect)) {
            role_.leave_gate(*leave, now, effects);
        } else if (std::holds_alternative<lease::Claims>(effect)) {
            role_.hold_gate(now, effects);
        } else if (auto* grant = std::get_if<lease::Granted>(&effect)) {
            granted = std::move(*grant);
            // The gate stays shut if the node is no longer promoted: see
            // GatewayRole::on_granted().
            if (lease_.grants().served_since(*granted, cores_.replica.epoch(), now)) {
                role_.gate().keep_shut();
            }
        } else if (const auto* end = std::get_if<lease::Ended>(&effect)) {
            ended = *end;
            role_.gate().on_lease_ended(effects);
        } else if (std::holds_alternative<lease::ReadCounters>(effect)) {
            role_.begin_handing_over(now, effects);
        } else if (std::holds_alternative<lease::Fenced>(effect)) {
            effects.emplace_back(
                Log{LogLevel::error, fmt::format("this node is fenced event=fenced {}", tag())});
            effects.emplace_back(Fenced{});
        } else {
            voters_.log_news(effect, effects);
        }
    }
    if (granted) {
        cores_.events.post(*granted);
    }
    cores_.events.post(VotersDue{});
    if (ended) {
        cores_.events.post(*ended);
    }
}

void GatewayNode::stop_standing_in(RequestToken request, TimePoint now, Effects& effects) {
    if (!view_.stands_in()) {
        effects.emplace_back(AnswerRequest{
            request,
            fail(Errc::invalid_argument,
                 fmt::format("this node does not stand in for gateway {}; what is promoted is "
                             "moved by Pacemaker",
                             cores_.settings.name))});
        return;
    }
    cores_.transition.wait_for_demotion(request);
    stand_in_.policy().release_by_order();
    stand_in_.end("an administrator has released it", now, effects);
    handle_events(now, effects);
}

void GatewayNode::proceed(TimePoint now, Effects& effects) {
    stand_in_.note_turn(now);
    lease_.continue_promoting(now);
    handle_events(now, effects);
    role_.continue_leaving(now);
    handle_events(now, effects);
    role_.continue_giving_back(now, effects);
    role_.continue_handing_over(now, effects);
    handle_events(now, effects);
    role_.continue_warming(now, effects);
    handle_events(now, effects);
    role_.continue_turning(now, effects);
    handle_events(now, effects);
    starts().watch_stopped(now, effects);
    cores_.history.note_role(view_.role(), now);
    cores_.history.note_records(cores_.replica.store().size_of(wire::Service::session));
}

void GatewayNode::watch_holder(TimePoint now, Effects& effects) {
    const std::optional<HolderWatch::Report> report = reports_.look(now);
    if (reports_.asks_witness(now)) {
        voters_.ask_witness(effects);
        reports_.on_asked(now);
        handle_events(now, effects);
    }
    if (report) {
        reports_.send(*report, effects);
    }
}

}  // namespace vpnha::node
