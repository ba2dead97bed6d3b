// SPDX-License-Identifier: GPL-2.0-or-later
// How a lease engine asks whether it would be granted the lease (14).
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

Effects Engine::stand_in(TimePoint now) {
    VPNHA_ASSERT(!state_.wanted);
    Effects effects;
    lapse(effects, now);
    if (!state_.inquiry) {
        state_.inquiry = begun_inquiry(now);
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
    state_.lapsed = false;
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
    // A claim of this node's own that nobody grants does not block another node.
    const bool in_vain = asker != setup_.self && claims_in_vain(now);
    return (in_vain ? voter_without_claim() : voter_).opinion(asker, claim, state_.voters, now);
}

Verdict Engine::besides_promise(NodeId asker, const Question& question) const {
    if (!state_.saves) {
        return Verdict::cannot_save;
    }
    if (voter_.is_absent(asker)) {
        return Verdict::absent;  // It may have missed changes that were confirmed without it.
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
        !is_sound(question.voters) || !is_plausible(sender.node, epoch)) {
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
    Opinion opinion{question.id, verdict, named, state_.voters};
    const std::optional<Received>& received = voter_.state().received;
    if (is_witness(setup_.self.node) && received && received->held &&
        received->epoch.node != sender.node) {
        opinion.answered_ago = now - voter_.state().received_at;
    }
    send(sender.node, std::move(opinion), effects);
}

bool Engine::may_ask(const RoundId& id, TimePoint now) const {
    return state_.quorate && !state_.fenced && !state_.alone && remembers() &&
           holder_.phase() == Phase::idle && !voter_.ended_by_order(state_.position.epoch) &&
           opinion_on(setup_.self, id, state_.voters, now) == Verdict::answered;
}

Engine::Inquiry Engine::begun_inquiry(TimePoint now) const {
    return {{}, now, setup_.timing.ask, now + setup_.timing.ask_open};
}

RoundId Engine::next_question() {
    const Epoch highest =
        std::max({holder_.state().claimed, holder_.state().seen, voter_.granted()});
    return {{highest.number + 1, setup_.self.node}, setup_.self.instance, ++state_.questions};
}

Effects Engine::ask(NodeId voter) {
    Effects effects;
    send(voter, Question{next_question(), state_.voters, state_.position}, effects);
    return effects;
}

void Engine::inquire(Effects& effects, TimePoint now) {
    std::optional<Inquiry>& inquiry = state_.inquiry;
    if (!inquiry || now < inquiry->next_at) {
        return;
    }
    const Timing& timing = setup_.timing;
    if (now > inquiry->next_at + timing.punctual) {
        inquiry = begun_inquiry(now);
    }
    std::erase_if(inquiry->open,
                  [&](const auto& asked) { return asked.at + timing.ask_open < now; });
    const bool in_row = !inquiry->open.empty() && inquiry->pause == timing.ask;
    const RoundId id = next_question();
    // After so long without a majority, waiting as long once more loses little.
    inquiry->pause =
        now < inquiry->often_until ? timing.ask : std::min(2 * inquiry->pause, timing.ask_max);
    inquiry->next_at = now + inquiry->pause;
    if (may_ask(id, now)) {
        inquiry->open.push_back({id, now, in_row, false, {}});
        send_to_others(Question{id, state_.voters, state_.position}, effects);
        note_willing(inquiry->open.back(), setup_.self.node, effects, now);
        return;
    }
    inquiry->open.clear();
    if (voter_.in_vain_since() && now < voter_.state().promise.until) {
        // The question makes the voters ignore the claim; their promises end with this node's.
        voter_.on_asked(now);
        inquiry->open.push_back({id, now, false, false, {}});
        send_to_others(Question{id, state_.voters, state_.position}, effects);
        inquiry->next_at = voter_.state().promise.until + timing.ask;
        inquiry->pause = inquiry->next_at - now;
        inquiry->often_until = inquiry->next_at + timing.ask_open;
    }
}

void Engine::on_opinion(NodeId from, const Opinion& opinion, Effects& effects, TimePoint now) {
    if (!state_.inquiry || state_.inquiry->find(opinion.id) == nullptr ||
        now > state_.inquiry->next_at + setup_.timing.punctual) {
        return;
    }
    learn(from, opinion.voters, opinion.marks, effects, now);
    // A mark of this node's life has ended the questions.
    Inquiry::Asked* const asked = state_.inquiry ? state_.inquiry->find(opinion.id) : nullptr;
    if (asked == nullptr || asked->at + setup_.timing.ask_open < now) {
        return;
    }
    if (opinion.verdict == Verdict::answered) {
        if (!was_cut_off(from, opinion, now)) {
            note_willing(*asked, from, effects, now);
        }
    } else if (opinion.verdict == Verdict::ordered) {
        // This node has missed a Release.
        if (is_plausible(from, opinion.granted) && !is_witness(from)) {
            voter_.on_order(opinion.granted);
        }
    } else {
        note_granted(from, opinion.granted);
    }
}

Engine::Inquiry::Asked* Engine::Inquiry::find(const RoundId& id) {
    const auto found = std::find_if(open.begin(), open.end(),
                                    [&id](const Asked& asked) { return asked.id == id; });
    return found == open.end() ? nullptr : &*found;
}

bool Engine::Inquiry::agreed_twice() const {
    return std::adjacent_find(open.begin(), open.end(), [](const Asked& one, const Asked& next) {
               return next.in_row && one.agreed && next.agreed;
           }) != open.end();
}

void Engine::note_willing(Inquiry::Asked& asked, NodeId voter, Effects& effects, TimePoint now) {
    if (!is_in(asked.willing, voter)) {
        asked.willing.push_back(voter);
        std::sort(asked.willing.begin(), asked.willing.end());
    }
    Inquiry& inquiry = *state_.inquiry;
    // 20: of the nodes alone, while the other one may send.
    const bool majority = electorate().majority(
        holder_.other_may_speak(now) ? without_witness(asked.willing) : asked.willing);
    // Meanwhile this node may have answered the holder.
    if (asked.agreed || !majority || !may_ask(inquiry.open.back().id, now)) {
        return;
    }
    asked.agreed = true;
    inquiry.often_until = now + setup_.timing.ask_open;
    // In a long pause it is not seen whether the host stood still. So the next question comes no
    // sooner than a holder's round that was delayed by the same.
    if (inquiry.pause > setup_.timing.ask) {
        inquiry.pause = setup_.timing.ask;
        inquiry.next_at = now + inquiry.pause;
    }
    if (inquiry.agreed_twice()) {
        state_.inquiry.reset();
        state_.wanted = true;
        act(effects, now);
    }
}

}  // namespace vpnha::lease
