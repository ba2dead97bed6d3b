// SPDX-License-Identifier: GPL-2.0-or-later
// The messages that a lease engine accepts from a witness, and those it does not (16, 17).
#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

bool is_word_of_witness(const Message& message) {
    if (const auto* const answer = std::get_if<Answer>(&message)) {
        return !answer->handover;
    }
    return std::holds_alternative<Hello>(message) || std::holds_alternative<Refusal>(message) ||
           std::holds_alternative<Opinion>(message) ||
           std::holds_alternative<MarkAnswer>(message) || std::holds_alternative<Memory>(message) ||
           std::holds_alternative<Recall>(message);
}

std::vector<NodeId> first_voters(const Setup& setup, std::vector<NodeId> configured) {
    return is_witness(setup.self.node) ? configured : without_witness(std::move(configured));
}

bool Engine::is_plausible(NodeId from, const Epoch& epoch) const {
    const Epoch known = std::max({voter_.granted(), holder_.state().claimed, state_.named,
                                  state_.voters.newest().version.epoch});
    const std::uint64_t jump =
        is_witness(from) ? limits::kWitnessEpochJumpMax : limits::kEpochJumpMax;
    return epoch.number <= known.number + jump;
}

void Engine::note_granted(NodeId from, const Epoch& epoch) {
    if (!is_plausible(from, epoch)) {
        return;
    }
    holder_.on_granted_elsewhere(epoch);
    if (!is_witness(from)) {
        state_.named = std::max(state_.named, epoch);
    }
}

bool Engine::was_cut_off(NodeId from, const Opinion& opinion, TimePoint now) const {
    if (!is_witness(from) || !opinion.answered_ago) {
        return false;
    }
    const TimePoint answered = now - *opinion.answered_ago;
    const Voter::State& voter = voter_.state();
    return answered - setup_.timing.lease >= (voter.received ? voter.received_at : TimePoint{}) &&
           now < answered + setup_.timing.absence;
}

Margin Engine::margin(TimePoint now) const {
    Margin margin = holder_.margin();
    const Holder::State& holder = holder_.state();
    if (!holder.by_witness || margin.kind == Margin::Kind::handed_over) {
        return margin;
    }
    if (margin.kind != Margin::Kind::bounded || holder.elsewhere > margin.epoch) {
        Margin unknown;
        unknown.kind = Margin::Kind::largest;
        return unknown;
    }
    // A voter that never received a round has 0 there, which is longer ago than any round.
    margin.until += setup_.timing.promise(now - voter_.state().before_at);
    return margin;
}

}  // namespace vpnha::lease
