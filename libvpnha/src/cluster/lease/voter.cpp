// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/voter.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::lease {

namespace {

// For a list with one entry for each node.
template <class List>
auto find(List& list, NodeId node) {
    return std::find_if(list.begin(), list.end(),
                        [node](const auto& each) { return each.node == node; });
}

std::optional<TimePoint> time_of(const std::vector<Voter::Timed>& times, NodeId node) {
    const auto found = find(times, node);
    return found == times.end() ? std::nullopt : std::optional(found->at);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::answered:
            return "answered";
        case Verdict::abstaining:
            return "abstaining";
        case Verdict::marked:
            return "marked";
        case Verdict::absent:
            return "absent";
        case Verdict::foreign_voters:
            return "foreign_voters";
        case Verdict::superseded:
            return "superseded";
        case Verdict::released:
            return "released";
        case Verdict::promised:
            return "promised";
        case Verdict::unheld:
            return "unheld";
        case Verdict::clock_astray:
            return "clock_astray";
        case Verdict::cannot_save:
            return "cannot_save";
        case Verdict::ordered:
            return "ordered";
        case Verdict::behind:
            return "behind";
    }
    return "unknown";
}

Voter::Voter(const Timing& timing, const Epoch& granted, const Epoch& ordered,
             const Epoch& elsewhere, Marks marks, TimePoint now)
    : timing_(timing) {
    state_.started = now;
    state_.granted = granted;
    state_.ordered = ordered;
    state_.marks = std::move(marks);
    state_.before.knowledge = granted == Epoch{} ? Knowledge::nothing_before : Knowledge::lost;
    state_.before.elsewhere = elsewhere;
}

Verdict Voter::judge(const Sender& sender, const Round& round, const Voters& own, TimePoint now) {
    const Epoch& epoch = round.id.epoch;
    VPNHA_ASSERT(epoch.node == sender.node);
    if (abstains(now)) {
        return Verdict::abstaining;
    }
    if (is_marked(sender.node, sender.boot)) {
        return Verdict::marked;
    }
    // Refuses the old list if this node knows that the change has ended: the old list need not have
    // a majority any more.
    if (!round.voters.include(own.newest()) || own.newer_than(round.voters)) {
        return Verdict::foreign_voters;
    }
    if (misses(sender.node, now)) {
        return Verdict::absent;
    }
    if (epoch < state_.granted) {
        return Verdict::superseded;
    }
    if ((state_.promise.released && epoch == state_.promise.epoch) || epoch <= state_.ordered) {
        return Verdict::released;
    }
    if (epoch > state_.granted) {
        // Of two voters the holder before has to answer as well, so safety needs no promise's time.
        if (!round.held && own.newest().nodes.size() >= kVotersToStandIn &&
            is_in(state_.astray, sender.node)) {
            return Verdict::clock_astray;
        }
        const Verdict verdict = grant(sender, epoch, now);
        if (verdict != Verdict::answered) {
            return verdict;
        }
    }
    note_answer(sender, round, now);
    return Verdict::answered;
}

Verdict Voter::opinion(const Sender& sender, const Round& round, const Voters& own,
                       TimePoint now) const {
    Voter asked = *this;
    return asked.judge(sender, round, own, now);
}

Verdict Voter::grant(const Sender& sender, const Epoch& epoch, TimePoint now) {
    if (now < state_.promise.until && !state_.promise.released) {
        return Verdict::promised;
    }
    Before& before = state_.before;
    if (state_.received) {
        before.knowledge = Knowledge::received;
        before.received = *state_.received;
        state_.before_at = state_.received_at;
    } else if (state_.granted != Epoch{}) {
        before.knowledge = Knowledge::lost;
        before.received = {};
    }
    if (state_.served) {
        state_.previous = state_.granted;
        state_.previous_elsewhere = before.elsewhere;
    }
    if (state_.previous == Epoch{}) {
        before.elsewhere = {epoch.number, NodeId{}};
    } else if (state_.previous.node != epoch.node) {
        before.elsewhere = state_.previous;
    } else {
        before.elsewhere = state_.previous_elsewhere;
    }
    state_.served = true;
    VPNHA_ASSERT(epoch > state_.granted);
    state_.granted = epoch;
    state_.granted_to = sender.boot;
    return Verdict::answered;
}

void Voter::note_answer(const Sender& sender, const Round& round, TimePoint now) {
    const RoundId& id = round.id;
    const TimePoint before = state_.promise.epoch == id.epoch ? state_.promise.until : TimePoint{};
    state_.promise = {id.epoch, std::max(before, now + timing_.promise(round.lease)), false};
    if (round.held || round.in_vain < timing_.unheld) {
        state_.in_vain_since.reset();
    } else if (!state_.in_vain_since) {
        state_.in_vain_since = now;
    }
    // A duplicate of an older round is answered, too, and has no news.
    if (!state_.received || state_.received->epoch != id.epoch ||
        state_.received->number < id.number) {
        state_.received = Received{id.epoch, id.number, round.sent_at + round.lease, round.held,
                                   round.checkpoint};
        state_.received_at = now;
    }
    std::erase_if(state_.answered_at, [&](const Timed& answered) {
        return answered.node == sender.node || answered.at + timing_.abstention() <= now;
    });
    state_.answered_at.push_back({sender.node, now});
}

void Voter::on_decline(const Epoch& epoch) {
    on_release(epoch);
    state_.served = state_.served && epoch != state_.granted;
}

void Voter::on_release(const Epoch& epoch) {
    if (epoch == state_.promise.epoch) {
        state_.promise.released = true;
    }
}

void Voter::on_order(const Epoch& epoch) {
    on_release(epoch);
    state_.ordered = std::max(state_.ordered, epoch);
}

void Voter::mark(NodeId victim, const BootId& boot, const std::vector<NodeId>& voters) {
    if (is_marked(victim, boot)) {
        return;
    }
    // A node has one life at a time, and a request names its newest one: older marks can go.
    std::erase_if(state_.marks, [victim](const Mark& each) { return each.node == victim; });
    if (state_.marks.size() == kMarksMax && !make_room(voters)) {
        // The other voters have more than two marks each: one has received marks of older lives.
        const auto older =
            std::find_if(state_.marks.begin(), state_.marks.end(),
                         [this](const Mark& each) { return has_several_marks(each.node); });
        VPNHA_ASSERT(older != state_.marks.end());
        state_.marks.erase(older);
    }
    state_.marks.push_back({victim, boot});
    if (state_.granted.node == victim && state_.granted_to.value_or(boot) == boot) {
        state_.granted = {state_.granted.number + 1, NodeId{}};
        state_.served = true;
    }
}

void Voter::join_marks(const Marks& marks, const std::vector<NodeId>& voters) {
    for (const Mark& mark : marks) {
        if (is_marked(mark.node, mark.boot)) {
            continue;
        }
        const bool has_room =
            state_.marks.size() < kMarksMax || (is_in(voters, mark.node) && make_room(voters));
        if (has_room) {
            state_.marks.push_back(mark);
        }
    }
}

bool Voter::make_room(const std::vector<NodeId>& voters) {
    const auto oldest =
        std::find_if(state_.marks.begin(), state_.marks.end(),
                     [&voters](const Mark& each) { return !is_in(voters, each.node); });
    if (oldest == state_.marks.end()) {
        return false;
    }
    state_.marks.erase(oldest);
    return true;
}

bool Voter::has_several_marks(NodeId node) const {
    return std::count_if(state_.marks.begin(), state_.marks.end(),
                         [node](const Mark& each) { return each.node == node; }) > 1;
}

void Voter::remember(const Epoch& granted) {
    if (granted > state_.granted) {
        state_.granted = granted;
        state_.granted_to.reset();
        // This node has forgotten its answers and grants of the epochs before.
        state_.received.reset();
        state_.before = {Knowledge::lost, {}, {granted.number, NodeId{}}};
        state_.served = true;
    }
}

bool Voter::run_out(NodeId victim, const BootId& boot, TimePoint now) const {
    if (!is_marked(victim, boot)) {
        return false;
    }
    // Not counted from the mark: it only ended answers, and the last of them is known. A dead node
    // has had no answer for as long as the detection of its death took.
    const TimePoint answered = time_of(state_.answered_at, victim).value_or(state_.started);
    return std::max(answered, state_.started) + timing_.abstention() <= now;
}

void Voter::on_missing(const std::vector<NodeId>& missing, TimePoint now) {
    std::erase_if(state_.absent_since,
                  [&missing](const Timed& absent) { return !is_in(missing, absent.node); });
    for (const NodeId node : missing) {
        if (!time_of(state_.absent_since, node)) {
            state_.absent_since.push_back({node, now});
        }
    }
}

void Voter::on_asked(TimePoint now) {
    if (state_.in_vain_since) {
        state_.asked = Timed{state_.promise.epoch.node, now};
    }
}

bool Voter::rests_from(const Round& round, TimePoint now) const {
    const Duration cycle = timing_.unheld + timing_.unheld_rest;
    return !round.held && round.in_vain % cycle >= timing_.unheld && state_.asked &&
           state_.asked->node == round.id.epoch.node && now < state_.asked->at + cycle;
}

bool Voter::is_absent(NodeId node) const {
    return time_of(state_.absent_since, node).has_value();
}

bool Voter::misses(NodeId node, TimePoint now) const {
    const auto since = time_of(state_.absent_since, node);
    return since && *since + timing_.absence < now;
}

bool Voter::abstains(TimePoint now) const {
    return now < state_.started + timing_.abstention();
}

bool Voter::is_marked(NodeId node, const BootId& boot) const {
    return std::find(state_.marks.begin(), state_.marks.end(), Mark{node, boot}) !=
           state_.marks.end();
}

}  // namespace vpnha::lease
