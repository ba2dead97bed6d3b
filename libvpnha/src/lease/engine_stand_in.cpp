// SPDX-License-Identifier: GPL-2.0-or-later
// How a lease engine asks whether it would be granted the lease (14).
#include <algorithm>

#include "base/assert.hpp"
#include "lease/engine.hpp"

namespace vpnha::lease {

Effects Engine::stand_in(TimePoint now) {
    VPNHA_ASSERT(!state_.wanted);
    Effects effects;
    lapse(effects, now);
    if (!state_.inquiry) {
        state_.inquiry = Inquiry{{}, now, setup_.timing.ask, {}, false, false};
    }
    inquire(effects, now);
    return saved_first(std::move(effects));
}

void Engine::yield(Yields to, std::optional<NodeId> not_to) {
    state_.yields = to;
    state_.yields_not_to = not_to;
}

void Engine::end_standing_in() {
    state_.inquiry.reset();
    state_.ordered = false;
    state_.yields = Yields::no;
    state_.yields_not_to.reset();
}

Verdict Engine::opinion_on(const Sender& asker, const RoundId& id, const Voters& voters,
                           TimePoint now) const {
    Round claim;
    claim.id = id;
    claim.lease = setup_.timing.lease;
    claim.voters = voters;
    // A claim of this node's own that nobody grants is no obstacle for another node.
    const bool in_vain = asker != setup_.self && claims_in_vain(now);
    return (in_vain ? voter_without_claim() : voter_).opinion(asker, claim, state_.voters, now);
}

Verdict Engine::besides_promise(NodeId asker, const Question& question) const {
    if (!state_.saves) {
        return Verdict::cannot_save;
    }
    if (voter_.lacks(asker)) {
        return Verdict::absent;  // It may have missed what was confirmed without it.
    }
    const Epoch known = std::max(state_.position.epoch, question.position.epoch);
    if (voter_.ended_by_order(known)) {
        return Verdict::ordered;
    }
    return question.position < state_.position ? Verdict::behind : Verdict::answered;
}

void Engine::on_question(const Sender& sender, const Question& question, Effects& effects,
                         TimePoint now) {
    const Epoch& epoch = question.id.epoch;
    if (epoch.node != sender.node || sender.node == setup_.self.node ||
        !is_sound(question.voters) || !is_plausible(epoch)) {
        return;
    }
    learn(sender.node, question.voters, question.marks, effects, now);
    Verdict verdict = opinion_on(sender, question.id, question.voters, now);
    const Verdict besides = besides_promise(sender.node, question);
    if (verdict == Verdict::answered) {
        verdict = besides;
    } else if (verdict == Verdict::promised && besides == Verdict::answered) {
        voter_.on_asked(now);
    }
    const Epoch named = verdict == Verdict::ordered ? voter_.ordered() : voter_.granted();
    send(sender.node, Opinion{question.id, verdict, named, state_.voters}, effects);
}

bool Engine::may_ask(TimePoint now) const {
    return state_.quorate && !state_.fenced && !state_.alone && remembers() &&
           holder_.phase() == Phase::idle && !voter_.ended_by_order(state_.position.epoch) &&
           opinion_on(setup_.self, state_.inquiry->id, state_.voters, now) == Verdict::answered;
}

void Engine::inquire(Effects& effects, TimePoint now) {
    std::optional<Inquiry>& inquiry = state_.inquiry;
    if (!inquiry || now < inquiry->next_at) {
        return;
    }
    const bool late = now > inquiry->next_at + setup_.timing.punctual;
    inquiry->agreed_before = inquiry->agreed && !late;
    const Epoch highest =
        std::max({holder_.state().claimed, holder_.state().seen, voter_.granted()});
    inquiry->id = {
        {highest.number + 1, setup_.self.node}, setup_.self.instance, ++state_.questions};
    inquiry->agreed = false;
    inquiry->willing.clear();
    if (late) {
        inquiry->pause = setup_.timing.ask;
    }
    inquiry->next_at = now + inquiry->pause;
    // Who has waited for a majority for so long loses little by waiting as long once more.
    inquiry->pause = std::min(2 * inquiry->pause, setup_.timing.ask_max);
    if (may_ask(now)) {
        send_to_others(Question{inquiry->id, state_.voters, state_.position}, effects);
        note_willing(setup_.self.node, effects, now);
    } else if (voter_.in_vain_since() && now < voter_.state().promise.until) {
        // The question has the voters rest from the claim; their promises end with this node's.
        voter_.on_asked(now);
        send_to_others(Question{inquiry->id, state_.voters, state_.position}, effects);
        inquiry->next_at = voter_.state().promise.until + setup_.timing.ask;
        inquiry->pause = setup_.timing.ask;
    }
}

void Engine::on_opinion(NodeId from, const Opinion& opinion, Effects& effects, TimePoint now) {
    if (!state_.inquiry || opinion.id != state_.inquiry->id ||
        now > state_.inquiry->next_at + setup_.timing.punctual) {
        return;
    }
    learn(from, opinion.voters, opinion.marks, effects, now);
    if (opinion.verdict == Verdict::answered) {
        note_willing(from, effects, now);
    } else if (opinion.verdict == Verdict::ordered) {
        // This node has missed a Release.
        if (is_plausible(opinion.granted)) {
            voter_.on_order(opinion.granted);
        }
    } else if (is_plausible(opinion.granted)) {
        holder_.on_granted_elsewhere(opinion.granted);
    }
}

void Engine::note_willing(NodeId voter, Effects& effects, TimePoint now) {
    Inquiry& inquiry = *state_.inquiry;
    if (std::find(inquiry.willing.begin(), inquiry.willing.end(), voter) == inquiry.willing.end()) {
        inquiry.willing.push_back(voter);
        std::sort(inquiry.willing.begin(), inquiry.willing.end());
    }
    // Meanwhile this node may have answered the holder.
    if (inquiry.agreed || !electorate().majority(inquiry.willing) || !may_ask(now)) {
        return;
    }
    inquiry.agreed = true;
    inquiry.pause = setup_.timing.ask;
    inquiry.next_at = now + inquiry.pause;
    if (inquiry.agreed_before) {
        state_.inquiry.reset();
        state_.wanted = true;
        act(effects, now);
    }
}

}  // namespace vpnha::lease
