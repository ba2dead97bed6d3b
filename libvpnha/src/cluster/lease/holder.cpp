// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/holder.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::lease {

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::idle:
            return "idle";
        case Phase::claiming:
            return "claiming";
        case Phase::holding:
            return "holding";
        case Phase::draining:
            return "draining";
    }
    return "unknown";
}

Holder::Holder(const Timing& timing, const Epoch& claimed) : timing_(timing) {
    state_.claimed = claimed;
}

void Holder::claim(NodeId self, const Epoch& floor, TimePoint now) {
    VPNHA_ASSERT(!serving());
    const Epoch highest = std::max({state_.claimed, state_.seen, floor});
    const bool held = state_.renewed || now >= state_.granted_at + timing_.unheld;
    if (state_.phase != Phase::claiming && held) {
        const bool lapsed_now = now < state_.lapsed_at + timing_.unheld_lapsed;
        state_.claiming_since = lapsed_now ? now - (timing_.unheld - timing_.unheld_lapsed) : now;
    }
    state_.renewed = false;
    end();
    state_.phase = Phase::claiming;
    state_.claimed = {highest.number + 1, self};
    state_.number = 0;
    state_.asked_until = {};
    state_.next_round_at = now;
    state_.before = {};
    state_.unknown = false;
    state_.elsewhere = {};
    state_.handover.reset();
}

bool Holder::round_due(TimePoint now) const {
    return state_.phase != Phase::idle && now >= state_.next_round_at;
}

Round Holder::open_round(Instance instance, TimePoint now) {
    VPNHA_ASSERT(state_.phase != Phase::idle);
    std::erase_if(state_.rounds,
                  [&](const OpenRound& open) { return open.sent_at + open.lease <= now; });
    const Duration lease = std::max(timing_.lease, state_.asked_until - now);
    const Duration wanted = state_.often ? timing_.renew / 2 : timing_.renew;
    state_.next_round_at = now + std::max(wanted, lease / kRenewalsPerLeaseMax);
    state_.asked_until = now + lease;
    ++state_.number;
    state_.rounds.push_back({state_.number, now, lease, {}});
    Round round;
    round.id = {state_.claimed, instance, state_.number};
    round.sent_at = now;
    round.lease = lease;
    round.held = serving();
    round.in_vain = round.held ? Duration{} : in_vain(now);
    round.released = state_.handover ? std::optional(state_.handover->released) : state_.dead;
    return round;
}

bool Holder::count(NodeId from, const Answer& answer, Instance instance, const Voters& voters,
                   TimePoint now) {
    if (state_.phase == Phase::idle || answer.id.epoch != state_.claimed ||
        answer.id.instance != instance) {
        return false;
    }
    const auto open =
        std::find_if(state_.rounds.begin(), state_.rounds.end(), [&](const OpenRound& round) {
            return round.number == answer.id.number && now < round.sent_at + round.lease;
        });
    if (open == state_.rounds.end()) {
        return false;
    }
    if (std::find(open->answered.begin(), open->answered.end(), from) == open->answered.end()) {
        open->answered.push_back(from);
        std::sort(open->answered.begin(), open->answered.end());
    }
    if (state_.phase == Phase::claiming) {
        note(from, answer);
    }
    if (!is_answered(*open, voters, now)) {
        return false;
    }
    const TimePoint deadline = open->sent_at + open->lease;
    if (state_.phase == Phase::claiming && deadline < now + timing_.renew) {
        return false;
    }
    state_.deadline = deadline;
    if (state_.phase == Phase::claiming) {
        state_.phase = Phase::holding;
        state_.granted_at = now;
        state_.by_witness = !voters.majority(without_witness(open->answered));
    } else {
        state_.renewed = true;
    }
    // Earlier rounds cannot move it any more.
    state_.rounds.erase(state_.rounds.begin(), open + 1);
    return true;
}

bool Holder::is_answered(const OpenRound& open, const Voters& voters, TimePoint now) const {
    if (voters.majority(without_witness(open.answered))) {
        return true;
    }
    return voters.majority(open.answered) && is_in(open.answered, state_.claimed.node) &&
           (state_.phase != Phase::claiming || (!other_may_speak(now) && !outbid()));
}

void Holder::note(NodeId from, const Answer& answer) {
    const Before& before = answer.before;
    state_.elsewhere = std::max(state_.elsewhere, before.elsewhere);
    if (is_witness(from)) {
        return;  // See Engine::margin().
    }
    if (before.knowledge == Knowledge::lost) {
        state_.unknown = true;
    } else if (before.knowledge == Knowledge::received) {
        const auto age = [](const Received& received) {
            return std::pair(received.epoch, received.number);
        };
        if (state_.before.knowledge != Knowledge::received ||
            age(before.received) > age(state_.before.received)) {
            state_.before = before;
        }
    }
    if (answer.handover) {
        state_.handover = answer.handover;
    }
}

std::optional<Duration> Margin::run_on() const {
    if (kind == Kind::none) {
        return Duration{};
    }
    if (kind == Kind::largest || newest.epoch == Epoch{}) {
        return std::nullopt;
    }
    return std::max(until - newest.taken_at, Duration{});
}

Margin Holder::margin() const {
    Margin margin;
    if (state_.handover) {
        margin.kind = Margin::Kind::handed_over;
        margin.epoch = state_.handover->released;
        margin.until = state_.handover->until;
        margin.newest = state_.handover->checkpoint;
        return margin;
    }
    const bool received = state_.before.knowledge == Knowledge::received;
    if (state_.unknown || (received && !state_.before.received.held)) {
        // It is unknown whether a majority answered the claim, and if so, from which counters that
        // node continued.
        margin.kind = Margin::Kind::largest;
        return margin;
    }
    if (received) {
        const Received& newest = state_.before.received;
        margin.kind = Margin::Kind::bounded;
        margin.epoch = newest.epoch;
        margin.until = newest.until;
        margin.newest = newest.checkpoint;
    }
    return margin;
}

void Holder::on_granted_elsewhere(const Epoch& granted) {
    state_.seen = std::max(state_.seen, granted);
}

void Holder::on_held_elsewhere(const Epoch& epoch, TimePoint until) {
    // As a voter's promise: a round of a shorter L ends it no earlier.
    state_.other_until = epoch == state_.other ? std::max(state_.other_until, until) : until;
    state_.other = epoch;
}

void Holder::on_released_elsewhere(const Epoch& epoch) {
    if (epoch == state_.other) {
        state_.other_until = {};
    }
}

bool Holder::outbid() const {
    return state_.phase == Phase::claiming && state_.seen > state_.claimed;
}

void Holder::begin_draining(TimePoint now) {
    VPNHA_ASSERT(serving());
    if (state_.phase == Phase::holding) {
        state_.phase = Phase::draining;
        state_.draining_until = now + timing_.draining;
    }
}

void Holder::cancel_draining() {
    if (state_.phase == Phase::draining) {
        state_.phase = Phase::holding;
    }
}

void Holder::note_lapse(TimePoint now) {
    state_.lapsed_at = now;
}

void Holder::end() {
    if (state_.phase != Phase::idle) {
        state_.dead = state_.claimed;
    }
    state_.phase = Phase::idle;
    state_.deadline = {};
    state_.rounds.clear();
}

void Holder::restart_rounds(TimePoint now) {
    state_.rounds.clear();
    hurry(now);
}

void Holder::unsay(TimePoint now) {
    VPNHA_ASSERT(state_.phase != Phase::idle);
    state_.phase = Phase::claiming;
    state_.claiming_since = now;
    state_.deadline = {};
    state_.rounds.clear();
    state_.next_round_at = std::max(state_.next_round_at, now + timing_.renew);
}

void Holder::stand_aside(Duration lease, TimePoint now) {
    VPNHA_ASSERT(state_.phase == Phase::claiming);
    if (state_.rounds.empty() && now < state_.next_round_at) {
        return;  // It does already. Each renewal of the other one would restart the wait.
    }
    state_.rounds.clear();
    state_.next_round_at = now + timing_.promise(lease);
}

void Holder::hurry(TimePoint now) {
    state_.next_round_at = std::min(state_.next_round_at, now);
}

}  // namespace vpnha::lease
