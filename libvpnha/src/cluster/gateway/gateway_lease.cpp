// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's lease: its epochs, and until when the gate is open.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

namespace {

// Of the 20 s that a promotion has: its grant and its steps take three at most.
constexpr Duration kReplicaPatience = std::chrono::seconds(15);
// Two nodes that outbid each other are not to keep the gate shut.
constexpr Duration kClaimAbovePause = std::chrono::seconds(10);

}  // namespace

void GatewayNode::on_lease_message(const lease::Sender& sender, const lease::Message& message,
                                   TimePoint now, Effects& effects) {
    voters_.before_message(sender, message, now);
    if (stand_in_.phase() == StandIn::Phase::stands_in) {
        yield_to_others(now);
    }
    history_.on_message(sender, message, now);
    saved_.take(saved_.engine().on_message(sender, message, now), effects);
    drain(now, effects);
    voters_.after_message(sender, message, now);
    if (lease::is_witness(sender.node)) {
        others_.holder.on_word_of_witness(message, now);
    }
    others_.holder.note(sight());
    if (others_.holder.unheard()) {
        watch_holder(now, effects);
    }
    // It was out of reach when it was fenced. What it is told is what it would have heard then.
    const bool is_about_marks = std::holds_alternative<lease::MarkRequest>(message) ||
                                std::holds_alternative<lease::MarkAnswer>(message);
    if (!is_about_marks && saved_.engine().voter().is_marked(sender.node, sender.boot)) {
        saved_.take({lease::Send{sender.node, lease::MarkRequest{sender.node, sender.boot}}},
                    effects);
        drain(now, effects);
    }
}

std::string GatewayNode::objection_to_claim() const {
    if (const auto better = replica_.better()) {
        return fmt::format("its replica is not complete, and that of node {} is", better->value);
    }
    return replica_.has_met_all() && !replica_.may_be_less()
               ? ""
               : "a member has not reported what its replica has";
}

void GatewayNode::go_on_promoting(TimePoint now) {
    const std::optional<TimePoint> until = grants_.replica_awaited_until();
    if (!until) {
        return;
    }
    const std::string objection = objection_to_claim();
    const bool over = now >= *until;
    if (over && replica_.better()) {
        refuse_grant(objection);
    } else if (over || objection.empty()) {
        // Who has said nothing for so long may never do so, and the gateway is to be served.
        grants_.end_replica_wait();
        ask_for_grant(now);
    }
}

void GatewayNode::begin_grant(TimePoint now, Effects& effects) {
    // A draining holder serves meanwhile. What is claimed with less than a member has would be the
    // end of the other sessions on all nodes.
    if (const std::string objection = objection_to_claim(); !objection.empty()) {
        grants_.await_replica(now + kReplicaPatience);
        effects.emplace_back(
            Log{replica_.better() ? LogLevel::warning : LogLevel::info,
                fmt::format("the promotion waits: {} event=promotion-waits {}", objection, tag())});
        return;
    }
    ask_for_grant(now);
}

void GatewayNode::ask_for_grant(TimePoint now) {
    // A promise to a dead holder ends within L·(1+ρ)+δ of its last round; a draining one answers
    // when its busy node gives it the time, and has fallen silent after this. To give up sooner
    // would have Pacemaker ban a node that is about to be granted.
    grants_.await(now + settings_.lease.timing.draining);
    saved_.engine().set_checkpoint({});  // Of an epoch before; warming knows better.
    saved_.engine().note_claimed(replica_.highest_epoch());
    events_.post(LeaseOrder::promote);
}

void GatewayNode::refuse_grant(const std::string& why) {
    grants_.end();
    transition_.fail(fmt::format("grant: {}", why));
    events_.post(LeaseOrder::demote);
    events_.post(StepEnded{false});
}

void GatewayNode::end_grant(TimePoint now, Effects& effects) {
    const lease::Voters& voters = saved_.engine().state().voters;
    const auto [present, missing] = voters_.reach(now);
    const bool quorate = saved_.engine().state().quorate;
    if (quorate && !saved_.engine().remembers()) {
        // Others that are a majority without this node would have told it by now: it would not be
        // better elsewhere.
        const std::vector<NodeId> untold = saved_.engine().awaited();
        await_voters(!untold.empty()    ? untold
                     : !missing.empty() ? missing
                                        : voters.all(),
                     now, effects);
    } else if ((quorate && !saved_.engine().state().alone && !voters.majority(present)) ||
               (waits() && !quorate)) {
        await_voters(missing, now, effects);
    } else {
        refuse_grant("no majority of the voters granted it in time");
    }
}

void GatewayNode::await_voters(const std::vector<NodeId>& missing, TimePoint now,
                               Effects& effects) {
    grants_.await(now + settings_.lease.timing.draining);
    if (!grants_.wait_in_silence()) {
        return;
    }
    // A failure would have Pacemaker stop this standby, and end with it the sessions that no other
    // node could serve either.
    const std::string names = voter_list(missing);
    const char* const two = saved_.engine().state().voters.newest().nodes.size() == 2
                                ? ", or confirmed dead (vpnha confirm-dead NODE --it-is-off)"
                                : "";
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format(
                "promoted and silent: {} event=waiting {} missing={}",
                saved_.engine().remembers()
                    ? fmt::format("without node {} no majority of the voters is left that could "
                                  "grant the lease, and save it; it goes on when one is "
                                  "back{}",
                                  names, two)
                    : fmt::format("this node has no memory of the lease, and the first grant "
                                  "takes the votes of all; it waits for node {}",
                                  names),
                tag(), names)});
    transition_.answer_early(effects);
}

Result<void> GatewayNode::claim(TimePoint now, Effects& effects) {
    if (!replica_.quorate()) {
        return fail(Errc::unreachable, "quorum was lost");
    }
    if (grants_.epoch() <= replica_.highest_epoch()) {
        return fail(Errc::busy, fmt::format("another node claimed epoch {} meanwhile",
                                            to_string(replica_.highest_epoch())));
    }
    if (const auto better = replica_.better(); better && !replica_.promoted()) {
        return fail(Errc::busy, fmt::format("the replica of node {} is complete, and this one's "
                                            "is not",
                                            better->value));
    }
    take(replica_.begin_epoch(grants_.epoch(), now), now, effects);
    effects.emplace_back(Log{LogLevel::info, fmt::format("epoch claimed event=claimed {}", tag())});
    return {};
}

void GatewayNode::on_granted(const lease::Granted& granted, TimePoint now, Effects& effects) {
    const Epoch before = grants_.add(granted, now);
    const bool asks = stand_in_.phase() == StandIn::Phase::asks;
    if ((grants_.awaited() || asks) && Grants::shares_number(granted) &&
        !keepers_.counted().empty()) {
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("node {} was granted epoch {}: claiming "
                            "anew {}",
                            granted.elsewhere.node.value, to_string(granted.elsewhere), tag())});
        events_.post(LeaseOrder::decline);
        events_.post(asks ? LeaseOrder::claim : LeaseOrder::promote);
        return;
    }
    if (grants_.awaited()) {
        grants_.end();
        events_.post(StepEnded{true});
        return;
    }
    if (asks && !can_serve_all()) {
        give_up_claim("its kernel has not all sessions", now, effects);
        return;
    }
    if (asks) {
        begin_standing_in(now, effects);
        return;
    }
    if (takeover_.state() != takeover::State::promoted) {
        if (granted.elsewhere > before && !keepers_.counted().empty()) {
            // It had lapsed in the midst of the promotion, for which the counters were made warm.
            events_.post(RoleLost{});
        }
        return;
    }
    // The lease had lapsed, and nobody else was promoted meanwhile.
    if (grants_.served_since(granted, replica_.epoch(), now)) {
        decline(fmt::format("another node may have served in epoch {} meanwhile",
                            to_string(granted.elsewhere)),
                effects);
        return;
    }
    if (!replica_.quorate()) {
        effects.emplace_back(Log{
            LogLevel::info, fmt::format("the lease is granted anew, and this node serves on; it "
                                        "claims epoch {} in the next quorate ring "
                                        "event=claim-waits {}",
                                        to_string(granted.epoch), tag())});
    } else if (!claim_anew(now, effects)) {
        return;
    }
    keepers_.unpause(now, effects);
}

bool GatewayNode::claim_is_due() const {
    const lease::Holder& lease = saved_.engine().holder();
    return takeover_.state() == takeover::State::promoted && replica_.promoted() &&
           replica_.quorate() && lease.serving() && lease.epoch() == grants_.epoch() &&
           grants_.epoch() > replica_.epoch();
}

bool GatewayNode::claim_anew(TimePoint now, Effects& effects) {
    const Result<void> claimed = claim(now, effects);
    if (!claimed) {
        decline(claimed.error().detail, effects);
    }
    return claimed.has_value();
}

void GatewayNode::decline(const std::string& why, Effects& effects) {
    effects.emplace_back(
        Log{LogLevel::error, fmt::format("the new epoch is of no use {}: {}", tag(), why)});
    // The node that did serve is to claim anew as if this one had not been granted anything.
    events_.post(LeaseOrder::decline);
    events_.post(RoleLost{});
}

void GatewayNode::on_lease_ended(const lease::Ended& ended, TimePoint now, Effects& effects) {
    wishes_.planned.on_silent(ended.epoch, now);
    if (stand_in_.phase() == StandIn::Phase::asks) {
        if (ended.why == lease::End::given_up && !saved_.engine().state().wanted) {
            // It may ask again as soon as its vote is free: it has not failed.
            stand_in_.stand_back();
            effects.emplace_back(Log{
                LogLevel::info, fmt::format("this node does not stand in: another claim is higher "
                                            "event=stand-in-refused {}",
                                            tag())});
        } else if (ended.why != lease::End::released) {  // Or it claims anew: see on_granted().
            give_up_claim(to_string(ended.why), now, effects);
        }
        return;
    }
    if (takeover_.state() == takeover::State::standing_in) {
        // Nobody has heard of this epoch, and nothing was said in it.
        end_standing_in(fmt::format("the lease has ended: {}", to_string(ended.why)), now, effects);
        return;
    }
    if (stands_in() && ended.why == lease::End::given_up && !saved_.engine().state().wanted) {
        end_standing_in("another standby claims the lease", now, effects);
        return;
    }
    const bool promoted = takeover_.state() == takeover::State::promoted;
    // A promoted node releases its lease only to claim above its members.
    if (!takeover_.serves() || (promoted && ended.why == lease::End::released)) {
        return;
    }
    // Given up for want of quorum, or of answers: claimed anew as soon as there is both.
    if (promoted && (ended.why == lease::End::lapsed || ended.why == lease::End::given_up)) {
        be_silent(ended.why, effects);
        return;
    }
    effects.emplace_back(Log{
        LogLevel::info,
        fmt::format("the lease ended event=lease-ended {} why={}", tag(), to_string(ended.why))});
    if (is_promoted() && stand_in_.wanted() && ended.why == lease::End::handed_over) {
        // A service or a link of this node is lost: a standby claimed it.
        stand_in_.depose(now);
    }
    events_.post(RoleLost{});
}

void GatewayNode::be_silent(lease::End why, Effects& effects) {
    effects.emplace_back(Log{
        LogLevel::warning, fmt::format("the lease ended event=lease-ended {} why={}; this node is "
                                       "silent until a majority of the voters grants it anew",
                                       tag(), to_string(why))});
    // What peers leave unanswered while nothing reaches them ends no session.
    keepers_.pause(effects);
}

void GatewayNode::heed_lapse(TimePoint now, Effects& effects) {
    const lease::Holder& lease = saved_.engine().holder();
    if (!lease.serving()) {
        be_silent(lease::End::lapsed, effects);
    } else if (claim_is_due()) {
        claim_anew(now, effects);
    }
}

void GatewayNode::claim_above_members(TimePoint now, Effects& effects) {
    const Epoch known = std::max(replica_.highest_epoch(), saved_.engine().holder().state().seen);
    if (takeover_.state() != takeover::State::promoted || !replica_.promoted() ||
        !replica_.quorate() || replica_.epoch() >= known || !saved_.engine().holder().serving() ||
        now < grants_.at() + kClaimAbovePause ||
        saved_.engine().holder().epoch() != grants_.epoch()) {
        return;  // Or the grant of its newest claim waits for the disk.
    }
    effects.emplace_back(Log{LogLevel::warning,
                             fmt::format("a member knows epoch {}, and would not follow this one: "
                                         "claiming anew {}",
                                         to_string(known), tag())});
    grants_.give_back(saved_.engine().holder().state().deadline);
    saved_.take(saved_.engine().release(false, now), effects);
    events_.post(LeaseOrder::promote);
    drain(now, effects);
}

void GatewayNode::on_lease_saved(std::uint64_t ticket, const Result<void>& result, TimePoint now,
                                 Effects& effects) {
    const bool is_news = saved_.on_saved(ticket, result.has_value(), now);
    blockers_.set_saves(saved_.saves().work());
    if (is_news) {
        effects.emplace_back(
            result
                ? Log{LogLevel::info, fmt::format("the lease is saved again event=saved {}", tag())}
                : Log{LogLevel::error,
                      fmt::format("this node does not vote, and is granted nothing, until it can "
                                  "save what it sends event=not-saved {}: {}",
                                  tag(), result.error().detail)});
    }
    drain(now, effects);
}

void GatewayNode::carry_out(lease::Effects&& from, TimePoint now, Effects& effects) {
    voters_.watch_lists(effects);
    // What follows from an end waits: a successor's answer comes before this node clears up.
    std::optional<lease::Ended> ended;
    std::optional<lease::Granted> granted;
    for (lease::Effect& effect : from) {
        if (auto* send = std::get_if<lease::Send>(&effect)) {
            effects.emplace_back(SendLease{settings_.id, send->to, std::move(send->message)});
        } else if (const auto* gate = std::get_if<lease::SetDeadline>(&effect)) {
            gate_.on_deadline(gate->deadline, effects);
        } else if (const auto* leave = std::get_if<lease::Leave>(&effect)) {
            leave_gate(*leave, now, effects);
        } else if (std::holds_alternative<lease::Claims>(effect)) {
            hold_gate(now, effects);
        } else if (auto* grant = std::get_if<lease::Granted>(&effect)) {
            granted = std::move(*grant);
            // The gate of a node that is promoted no more stays shut: see on_granted().
            if (grants_.served_since(*granted, replica_.epoch(), now)) {
                gate_.keep_shut();
            }
        } else if (const auto* end = std::get_if<lease::Ended>(&effect)) {
            ended = *end;
            gate_.on_lease_ended(effects);
        } else if (std::holds_alternative<lease::ReadCounters>(effect)) {
            begin_handing_over(now, effects);
        } else if (std::holds_alternative<lease::Fenced>(effect)) {
            effects.emplace_back(
                Log{LogLevel::error, fmt::format("this node is fenced event=fenced {}", tag())});
            effects.emplace_back(Fenced{});
        } else if (const auto* run_out = std::get_if<lease::RunOut>(&effect)) {
            effects.emplace_back(Log{
                LogLevel::warning, fmt::format("node {} is fenced: no promise to it holds any more "
                                               "event=run-out {}",
                                               run_out->victim.value, tag())});
        } else if (const auto* changed = std::get_if<lease::VotersChanged>(&effect)) {
            effects.emplace_back(
                Log{LogLevel::info, fmt::format("voters changed event=voters {} count={}", tag(),
                                                changed->voters.nodes.size())});
        } else if (const auto* recalled = std::get_if<lease::Recalled>(&effect)) {
            effects.emplace_back(
                Log{LogLevel::info,
                    fmt::format("the others have told who votes, and this node is one of them "
                                "again, or waits to be event=recalled {} count={}",
                                tag(), recalled->voters.nodes.size())});
        } else if (const auto* awaits = std::get_if<lease::Awaits>(&effect)) {
            const std::string names = voter_list(awaits->nodes);
            const std::string what =
                awaits->nodes == std::vector{self()}
                    ? "it was the only voter, and waits for an administrator's word (vpnha "
                      "vote-without)"
                    : fmt::format("it votes when node {} has told it what it remembers", names);
            effects.emplace_back(
                Log{LogLevel::warning,
                    fmt::format("this node has no memory of the lease (it is new, or "
                                "its disk is): {} event=no-memory {} missing={}",
                                what, tag(), names)});
        }
    }
    if (granted) {
        events_.post(*granted);
    }
    events_.post(VotersDue{});
    if (ended) {
        events_.post(*ended);
    }
}

}  // namespace vpnha::node
