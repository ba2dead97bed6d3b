// SPDX-License-Identifier: GPL-2.0-or-later
// Rounds and votes. Fencing, quorum, lists of voters and two nodes are in engine_fence.cpp, nodes
// without a memory in engine_memory.cpp, questions in engine_stand_in.cpp, a witness in
// engine_witness.cpp.
#include "cluster/lease/engine.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::lease {

namespace {

// The saved state; with the configured list as long as this node has not voted by any.
Durable known(const Setup& setup, const std::optional<Durable>& saved) {
    Durable durable = saved.value_or(Durable{});
    if (!durable.voters.newest().has_version() && durable.granted == Epoch{}) {
        durable.voters = {{{}, first_voters(setup, setup.voters)}, std::nullopt};
    }
    return durable;
}

}  // namespace

std::string_view to_string(End end) {
    switch (end) {
        case End::released:
            return "released";
        case End::lapsed:
            return "lapsed";
        case End::given_up:
            return "given_up";
        case End::handed_over:
            return "handed_over";
        case End::fenced:
            return "fenced";
    }
    return "unknown";
}

Engine::Engine(const Setup& setup, const std::optional<Durable>& durable, TimePoint now)
    : setup_(setup),
      voter_(setup.timing, durable ? durable->granted : Epoch{},
             durable ? durable->ordered : Epoch{}, durable ? durable->elsewhere : Epoch{},
             durable ? durable->marks : Marks{}, now),
      holder_(setup.timing, durable ? durable->claimed : Epoch{}),
      saved_(known(setup, durable)) {
    state_.voters = saved_.voters;
    state_.recollection.ask_at = now + setup_.timing.abstention();
    state_.fenced = voter_.is_marked(setup_.self.node, setup_.self.boot);
    VPNHA_ASSERT(is_sound(state_.voters));
    VPNHA_ASSERT(setup_.timing.renew * 2 < setup_.timing.lease);
    VPNHA_ASSERT(setup_.timing.lease <= setup_.timing.lease_max);
}

Effects Engine::saved_first(Effects effects) {
    if (saved_.claimed != holder_.state().claimed || saved_.granted != voter_.granted() ||
        saved_.ordered != voter_.ordered() || saved_.marks != voter_.state().marks ||
        saved_.voters != state_.voters) {
        saved_ = {holder_.state().claimed,   voter_.granted(),     voter_.ordered(),
                  voter_.before().elsewhere, voter_.state().marks, state_.voters};
        effects.insert(effects.begin(), SaveDurable{saved_});
    }
    return effects;
}

void Engine::on_not_saved(const std::optional<Durable>& durable, bool unnotified, TimePoint now) {
    saved_ = known(setup_, durable);
    if (holder_.phase() != Phase::idle && (unnotified || holder_.epoch() > saved_.claimed)) {
        holder_.unsay(now);
    }
    take_back_change(now);
}

Effects Engine::promote(TimePoint now) {
    end_standing_in();
    state_.wanted = true;
    state_.ordered = true;
    holder_.cancel_draining();
    return on_time(now);
}

Effects Engine::claim(TimePoint now) {
    end_standing_in();
    state_.wanted = true;
    return on_time(now);
}

Effects Engine::demote(TimePoint now) {
    Effects effects;
    lapse(effects, now);
    state_.wanted = false;
    end_standing_in();
    if (holder_.phase() == Phase::claiming) {
        end(End::given_up, effects);
    } else if (holder_.serving()) {
        holder_.begin_draining(now);
    }
    return saved_first(std::move(effects));
}

Effects Engine::release(bool ordered, TimePoint now) {
    Effects effects;
    lapse(effects, now);
    state_.wanted = false;
    end_standing_in();
    if (holder_.serving()) {
        end(End::released, effects, {.epoch = {}, .served = true, .ordered = ordered});
    } else if (holder_.phase() != Phase::idle) {
        end(End::given_up, effects);
    }
    return saved_first(std::move(effects));
}

Effects Engine::decline(TimePoint now) {
    Effects effects;
    lapse(effects, now);
    state_.wanted = false;
    end_standing_in();
    if (holder_.serving()) {
        end(End::released, effects, {.epoch = {}, .served = false, .ordered = false});
    }
    return saved_first(std::move(effects));
}

Effects Engine::on_message(const Sender& sender, const Message& message, TimePoint now) {
    Effects effects;
    lapse(effects, now);
    note_life(sender);
    if (is_witness(sender.node) && !is_word_of_witness(message)) {
        // Nothing.
    } else if (const auto* round = std::get_if<Round>(&message)) {
        on_round(sender, *round, effects, now);
    } else if (const auto* answer = std::get_if<Answer>(&message)) {
        on_answer(sender.node, *answer, effects, now);
    } else if (const auto* refusal = std::get_if<Refusal>(&message)) {
        on_refusal(sender.node, *refusal, effects, now);
    } else if (const auto* release = std::get_if<Release>(&message)) {
        on_release(sender.node, *release);
    } else if (const auto* request = std::get_if<MarkRequest>(&message)) {
        on_mark_request(sender, *request, effects, now);
    } else if (const auto* mark = std::get_if<MarkAnswer>(&message)) {
        on_mark_answer(sender.node, *mark, effects, now);
    } else if (std::holds_alternative<Recall>(message)) {
        report_memory(sender, effects);
    } else if (const auto* memory = std::get_if<Memory>(&message)) {
        on_memory(sender.node, *memory, effects, now);
    } else if (const auto* question = std::get_if<Question>(&message)) {
        on_question(sender, *question, effects, now);
    } else if (const auto* opinion = std::get_if<Opinion>(&message)) {
        on_opinion(sender.node, *opinion, effects, now);
    }
    return saved_first(std::move(effects));
}

Effects Engine::on_time(TimePoint now) {
    Effects effects;
    lapse(effects, now);
    act(effects, now);
    inquire(effects, now);
    ask_for_memory(effects, now);
    return saved_first(std::move(effects));
}

std::optional<TimePoint> Engine::next_deadline() const {
    const Holder::State& holder = holder_.state();
    std::optional<TimePoint> ask =
        remembers() ? std::nullopt : std::optional(state_.recollection.ask_at);
    if (state_.inquiry) {
        ask = earliest(ask, state_.inquiry->next_at);
    }
    if (holder.phase == Phase::idle) {
        return may_claim() ? std::optional(TimePoint{}) : ask;
    }
    std::optional<TimePoint> next = earliest(ask, holder.next_round_at);
    if (holder_.serving()) {
        next = earliest(next, holder.deadline);
    }
    if (holder.phase == Phase::draining) {
        next = earliest(next, holder.draining_until);
    }
    return next;
}

void Engine::on_round(const Sender& sender, const Round& round, Effects& effects, TimePoint now) {
    const Epoch& epoch = round.id.epoch;
    if (epoch.node != sender.node || sender.node == setup_.self.node || !is_sound(round.voters) ||
        !is_plausible(sender.node, epoch)) {
        return;
    }
    learn(sender.node, round.voters, round.marks, effects, now);
    if (round.held && holder_.serving() && epoch > holder_.epoch()) {
        end_lease(effects, now);
    }
    if (round.released) {
        voter_.on_release(*round.released);
    }
    const bool may_yield = state_.yields == Yields::to_anybody ||
                           (state_.yields == Yields::to_ordered && round.ordered);
    const bool yields =
        holder_.phase() == Phase::draining ||
        (holder_.phase() == Phase::holding && may_yield && state_.yields_not_to != sender.node);
    if (yields && !round.held && hand_over(sender, round, effects, now)) {
        return;
    }
    give_way(sender, round, effects, now);
    const std::optional<Handing>& handing = state_.handing;
    if (handing && handing->asked && handing->claim == epoch) {
        return;
    }
    Verdict verdict = Verdict::answered;
    if (!state_.saves && epoch > state_.granted_on_disk) {
        verdict = Verdict::cannot_save;
    } else if (voter_.rests_from(round, now)) {
        verdict = Verdict::unheld;
    } else {
        verdict = voter_.judge(sender, round, state_.voters, now);
    }
    if (verdict == Verdict::promised) {
        voter_.on_asked(now);
    }
    note_round(round, verdict, now);
    if (verdict != Verdict::answered) {
        const Epoch& granted =
            verdict == Verdict::cannot_save ? state_.granted_on_disk : voter_.granted();
        send(sender.node, Refusal{round.id, verdict, granted, state_.voters}, effects);
        return;
    }
    Answer answer{round.id, voter_.before(), std::nullopt, state_.saves};
    if (handing && handing->claim == epoch && !round.held) {
        answer.handover = handing->handover;
    }
    send(sender.node, std::move(answer), effects);
}

void Engine::note_round(const Round& round, Verdict verdict, TimePoint now) {
    const Epoch& epoch = round.id.epoch;
    const Voter::Promise& promise = voter_.state().promise;
    // An answer is a promise; so is one that keeps another answer from being given.
    const bool is_bound = verdict == Verdict::answered || verdict == Verdict::promised;
    const bool has_ended = promise.epoch == epoch && promise.released;
    if ((round.held || !is_bound) && !has_ended) {
        if (state_.voters.has(kWitness)) {
            note_granted(epoch.node, epoch);
        }
        holder_.on_held_elsewhere(epoch, now + setup_.timing.promise(round.lease));
    }
}

Voter Engine::voter_without_claim() const {
    Voter voter = voter_;
    voter.on_release(holder_.epoch());
    return voter;
}

bool Engine::claims_in_vain(TimePoint now) const {
    return holder_.phase() == Phase::claiming && holder_.in_vain(now) >= setup_.timing.unheld;
}

void Engine::give_way(const Sender& sender, const Round& round, Effects& effects, TimePoint now) {
    const bool in_vain = claims_in_vain(now);
    if (holder_.phase() != Phase::claiming || round.id.epoch <= holder_.epoch() ||
        (state_.ordered && !in_vain) || (!in_vain && round.in_vain >= setup_.timing.unheld) ||
        voter_without_claim().judge(sender, round, state_.voters, now) != Verdict::answered) {
        return;
    }
    if (state_.ordered) {
        voter_.on_release(holder_.epoch());
        holder_.stand_aside(round.lease, now);
        note_granted(sender.node, round.id.epoch);
        return;
    }
    state_.wanted = false;
    end_standing_in();
    end(End::given_up, effects);
}

void Engine::on_release(NodeId from, const Release& release) {
    if (release.epoch.node != from || !is_plausible(from, release.epoch)) {
        return;
    }
    holder_.on_released_elsewhere(release.epoch);
    if (release.ordered) {
        voter_.on_order(release.epoch);
    } else {
        release.served ? voter_.on_release(release.epoch) : voter_.on_decline(release.epoch);
    }
}

bool Engine::hand_over(const Sender& sender, const Round& round, Effects& effects, TimePoint now) {
    const Epoch own = holder_.epoch();
    const TimePoint until = holder_.state().deadline;
    Voter released = voter_without_claim();
    released.forgive_clocks();
    if (round.id.epoch <= own ||
        released.judge(sender, round, state_.voters, now) != Verdict::answered) {
        return false;
    }
    released.on_astray(voter_.state().astray, voter_.state().own_astray);
    voter_ = std::move(released);
    state_.wanted = false;
    end_standing_in();
    holder_.end();
    effects.emplace_back(Leave{sender.node, until});
    effects.emplace_back(Ended{own, End::handed_over});
    effects.emplace_back(ReadCounters{});
    state_.handing = Handing{round.id.epoch, round.id, {own, until, {}}};
    return true;
}

std::optional<TimePoint> Engine::handing_over() const {
    const std::optional<Handing>& handing = state_.handing;
    return handing && handing->asked ? std::optional(handing->handover.until) : std::nullopt;
}

Effects Engine::on_counters(const Checkpoint& checkpoint, TimePoint now) {
    VPNHA_ASSERT(handing_over());
    Effects effects;
    lapse(effects, now);
    Handing& handing = *state_.handing;
    handing.handover.checkpoint = checkpoint;
    send(handing.claim.node,
         Answer{*handing.asked, voter_.before(), handing.handover, state_.saves}, effects);
    handing.asked.reset();
    return saved_first(std::move(effects));
}

void Engine::on_answer(NodeId from, const Answer& answer, Effects& effects, TimePoint now) {
    if (is_witness(from)) {
        if (is_plausible(from, answer.before.elsewhere)) {
            count(from, answer, effects, now);
        }
        return;
    }
    std::erase(state_.differing, from);
    // Before it counts: a change of the voters ends with the marks of all that have answered.
    join_marks(answer.marks, effects);
    // Once for each claim: every answer has it, and each would hurry the next round.
    const bool handed_to_me =
        answer.handover && !holder_.state().handover && holder_.phase() == Phase::claiming &&
        answer.id.epoch == holder_.epoch() && answer.id.instance == setup_.self.instance;
    if (handed_to_me) {
        // Its gate is shut, so this node may vote for itself, in the same round.
        voter_.on_release(answer.handover->released);
    }
    count(from, answer, effects, now);
    if (handed_to_me && holder_.phase() == Phase::claiming) {
        const std::vector<Holder::OpenRound> open = holder_.state().rounds;
        for (const Holder::OpenRound& asked : open) {
            Round round;
            round.id = {holder_.epoch(), setup_.self.instance, asked.number};
            round.sent_at = asked.sent_at;
            round.lease = asked.lease;
            round.voters = state_.voters;
            round.checkpoint = state_.checkpoint;
            vote(round, effects, now);
        }
        holder_.hurry(now);
    }
}

void Engine::on_refusal(NodeId from, const Refusal& refusal, Effects& effects, TimePoint now) {
    if (refusal.id.epoch.node != setup_.self.node || refusal.id.instance != setup_.self.instance ||
        !is_sound(refusal.voters)) {
        return;
    }
    if (refusal.reason == Verdict::marked && !is_witness(from)) {
        become_fenced(effects);
        return;
    }
    learn(from, refusal.voters, refusal.marks, effects, now);
    note_granted(from, refusal.granted);
}

void Engine::note_claimed(const Epoch& epoch) {
    note_granted(setup_.self.node, epoch);
}

void Engine::lapse(Effects& effects, TimePoint now) {
    if (holder_.lapsed(now)) {
        end_lease(effects, now);
    }
}

void Engine::end_lease(Effects& effects, TimePoint now) {
    holder_.note_lapse(now);
    end(End::lapsed, effects);
    state_.lapsed = state_.wanted;
}

void Engine::act(Effects& effects, TimePoint now) {
    if (holder_.phase() == Phase::draining && now >= holder_.state().draining_until) {
        end(End::released, effects, {.epoch = {}, .served = true, .ordered = true});
    }
    give_up_without_quorum(effects);
    const bool again = holder_.outbid() && holder_.round_due(now);
    if (may_claim() && (holder_.phase() == Phase::idle || again)) {
        if (again) {
            voter_.on_release(holder_.epoch());
        }
        holder_.claim(setup_.self.node, voter_.granted(), now);
        effects.emplace_back(Claims{});
    }
    if (holder_.round_due(now)) {
        ask(effects, now);
    }
}

bool Engine::may_claim() const {
    return state_.wanted && !state_.fenced && (state_.quorate || may_claim_anew());
}

void Engine::give_up_without_quorum(Effects& effects) {
    if (!state_.quorate && holder_.phase() == Phase::claiming && !may_claim()) {
        end(End::given_up, effects);
    }
}

bool Engine::may_claim_anew() const {
    const Epoch known = std::max(holder_.state().seen, voter_.granted());
    return state_.lapsed && state_.voters.newest().nodes.size() >= kVotersToStandIn &&
           known <= holder_.epoch();
}

void Engine::ask(Effects& effects, TimePoint now) {
    Round round = holder_.open_round(setup_.self.instance, now);
    round.ordered = state_.ordered && !state_.lapsed;
    round.voters = state_.voters;
    round.checkpoint = state_.checkpoint;
    send_to_others(round, effects);
    vote(round, effects, now);
}

void Engine::vote(const Round& round, Effects& effects, TimePoint now) {
    const Verdict verdict = voter_.judge(setup_.self, round, state_.voters, now);
    if (verdict == Verdict::answered) {
        count(setup_.self.node, Answer{round.id, voter_.before(), std::nullopt}, effects, now);
    } else if (verdict == Verdict::superseded) {
        // A node alone receives no such answer from others.
        holder_.on_granted_elsewhere(voter_.granted());
    }
}

void Engine::count(NodeId from, const Answer& answer, Effects& effects, TimePoint now) {
    const bool claimed = holder_.phase() == Phase::claiming;
    if (!holder_.count(from, answer, setup_.self.instance, electorate(), now)) {
        return;
    }
    const Holder::State& holder = holder_.state();
    if (claimed) {
        if (holder.by_witness) {
            holder_.hurry(now);  // 20
        }
        state_.lapsed = false;
        if (holder.elsewhere > state_.checkpoint.epoch) {
            // Another node may have used numbers beyond this node's own reading.
            state_.checkpoint = {};
        }
        effects.emplace_back(Granted{holder_.epoch(), margin(now), holder.elsewhere});
    }
    effects.emplace_back(SetDeadline{holder.deadline});
    if (!remembers()) {
        state_.voters.current.version = {holder_.epoch(), 0};
        state_.recollection = {};
        state_.differing.clear();
        holder_.restart_rounds(now);
    }
    // A deadline that depends on a save waits for it; those by both lists depend on none.
    if (state_.voters.next && state_.saves) {
        state_.voters.current = *std::exchange(state_.voters.next, std::nullopt);
        // With a single voter, there is no other one that could return.
        state_.alone = state_.alone && state_.voters.current.nodes.size() > 1;
        holder_.restart_rounds(now);
        effects.emplace_back(VotersChanged{state_.voters.current});
    }
}

void Engine::end(End why, Effects& effects, const Release& how) {
    const bool held = holder_.serving();
    Release release = how;
    release.epoch = holder_.epoch();
    release.served = how.served && held;
    holder_.end();
    on_release(setup_.self.node, release);
    if (held) {
        effects.emplace_back(SetDeadline{});
    }
    effects.emplace_back(Ended{release.epoch, why});
    send_to_others(release, effects);
}

void Engine::send(NodeId to, Message message, Effects& effects) const {
    std::visit(
        [this](auto& sent) {
            if constexpr (requires { sent.marks; }) {
                sent.marks = voter_.state().marks;
            }
        },
        message);
    effects.emplace_back(Send{to, std::move(message)});
}

void Engine::send_to_others(const Message& message, Effects& effects) const {
    for (const NodeId node : state_.voters.all()) {
        if (node != setup_.self.node) {
            send(node, message, effects);
        }
    }
}

}  // namespace vpnha::lease
