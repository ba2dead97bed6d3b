// SPDX-License-Identifier: GPL-2.0-or-later
// The lease engine's handling of quorum, lists of voters, fencing and two nodes.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

Effects Engine::on_members(const std::set<NodeId>& present, bool quorate, TimePoint now) {
    Effects effects;
    lapse(effects, now);
    std::vector<NodeId> missing;
    if (quorate) {
        for (const NodeId node : state_.voters.all()) {
            if (!present.contains(node) && !is_witness(node)) {
                missing.push_back(node);
            }
        }
    }
    voter_.on_missing(missing, now);
    state_.quorate = quorate;
    give_up_without_quorum(effects);
    return saved_first(std::move(effects));
}

Result<Effects> Engine::change_voters(const std::vector<NodeId>& nodes, TimePoint now) {
    Effects effects;
    lapse(effects, now);
    const VoterList& current = state_.voters.current;
    // Of two voters the other one is dead: its vote is not needed to leave it out.
    const bool leaves_dead = state_.alone && nodes == std::vector{setup_.self.node};
    // A thawed node may hold an epoch that is over for all others, and then receive their list.
    if (holder_.phase() != Phase::holding || state_.voters.next || (state_.alone && !leaves_dead) ||
        current.version.epoch > holder_.epoch()) {
        return fail(Errc::busy,
                    "the voters are changed by the node that holds the lease, one node at a time");
    }
    VoterList next;
    next.version = {holder_.epoch(), 1 + state_.changes_taken_back};
    if (current.version.epoch == holder_.epoch()) {
        next.version.change += current.version.change;
    }
    next.nodes = nodes;
    if (!is_sound(next) || !differ_by_one(current, next)) {
        return fail(Errc::invalid_argument,
                    "a change of the voters adds or removes exactly one node; to replace one, "
                    "remove it first, then add the other");
    }
    state_.voters.next = std::move(next);
    holder_.restart_rounds(now);
    act(effects, now);
    return saved_first(std::move(effects));
}

void Engine::take_back_change(TimePoint now) {
    const Epoch& made_in = state_.voters.newest().version.epoch;
    if (!holder_.serving() || made_in != holder_.epoch() || state_.voters == saved_.voters ||
        !saved_.voters.newest().has_version()) {
        return;
    }
    // Rounds by a list wait until it is on the disk, so no node has received this one. The save may
    // have reached the disk in spite of that: another list must not have the same version.
    if (state_.voters.next && state_.voters.next != saved_.voters.next) {
        ++state_.changes_taken_back;
    }
    state_.voters = saved_.voters;
    holder_.restart_rounds(now);
}

Voters Engine::electorate() const {
    return state_.alone ? Voters{{{}, {setup_.self.node}}, std::nullopt} : state_.voters;
}

void Engine::note_life(const Sender& sender) {
    // A witness has no life that could be fenced, and did not die with the other node.
    if (!state_.voters.has(sender.node) || is_witness(sender.node)) {
        return;
    }
    std::erase_if(state_.lives, [&](const Life& life) { return life.node == sender.node; });
    state_.lives.push_back({sender.node, sender.boot});
    state_.alone = false;
}

std::optional<BootId> Engine::newest_life_of(NodeId node) const {
    const auto found = std::find_if(state_.lives.begin(), state_.lives.end(),
                                    [node](const Life& life) { return life.node == node; });
    return found == state_.lives.end() ? std::nullopt : std::optional(found->boot);
}

Result<Effects> Engine::confirm_dead(NodeId victim, Confirmed by, TimePoint now) {
    const VoterList& voters = state_.voters.current;
    const std::optional<VoterList>& next = state_.voters.next;
    const bool is_left_out = next && next->nodes == std::vector{setup_.self.node};
    if (voters.nodes.size() != 2 || (next && !is_left_out) || !voters.has(victim) ||
        !voters.has(setup_.self.node) || victim == setup_.self.node || voters.has(kWitness)) {
        return fail(Errc::invalid_argument,
                    "a death is confirmed between two voters, for the other one");
    }
    if (by == Confirmed::by_device && !newest_life_of(victim)) {
        return fail(Errc::invalid_argument,
                    fmt::format("node {} has not answered since this daemon started; if it is off, "
                                "confirm it by hand",
                                victim.value));
    }
    if (by == Confirmed::by_device && !is_in(setup_.voters, setup_.self.node)) {
        return fail(Errc::invalid_argument,
                    "this node is not in corosync.conf, so others may vote without it; confirm the "
                    "death by hand if they do not");
    }
    if (!remembers()) {
        return fail(Errc::busy,
                    "this node has no memory of the lease, so the other one may have served since; "
                    "see vpnha status");
    }
    state_.alone = true;
    holder_.restart_rounds(now);
    return on_time(now);
}

Result<Effects> Engine::fence(NodeId victim, const BootId& boot, TimePoint now) {
    if (state_.voters.newest().nodes.size() < 3 || !state_.voters.has(victim) ||
        is_witness(victim)) {
        return fail(Errc::unsupported, "only one of three voters or more can be fenced by marks");
    }
    if (state_.fenced) {
        return fail(Errc::unsupported, "this node is fenced itself");
    }
    Effects effects;
    lapse(effects, now);
    std::optional<Fencing>& fencing = state_.fencing;
    if (!fencing || fencing->victim != victim || fencing->boot != boot) {
        fencing = Fencing{victim, boot, {}};
    }
    fencing->refused = false;
    fencing->agreed = fencing->agreed || !state_.voters.has(kWitness);
    if (fencing->agreed) {
        mark_victim(effects, now);
    } else {
        send(kWitness, MarkRequest{victim, boot}, effects);
    }
    return saved_first(std::move(effects));
}

void Engine::mark_victim(Effects& effects, TimePoint now) {
    const NodeId victim = state_.fencing->victim;
    const BootId boot = state_.fencing->boot;
    send_to_others(MarkRequest{victim, boot}, effects);
    voter_.mark(victim, boot, state_.voters.all());
    if (voter_.run_out(victim, boot, now)) {
        on_mark_answer(setup_.self.node, {victim, boot, true, state_.voters}, effects, now);
    }
    if (victim == setup_.self.node && boot == setup_.self.boot) {
        become_fenced(effects);
    }
}

void Engine::on_mark_request(const Sender& sender, const MarkRequest& request, Effects& effects,
                             TimePoint now) {
    const auto& [victim, boot] = request;
    if (!state_.voters.has(victim) || is_witness(victim)) {
        return;
    }
    if (!voter_.is_marked(sender.node, sender.boot)) {
        voter_.mark(victim, boot, state_.voters.all());
    }
    const bool run_out = voter_.run_out(victim, boot, now);
    send(sender.node, MarkAnswer{victim, boot, run_out, state_.voters}, effects);
    if (voter_.is_marked(setup_.self.node, setup_.self.boot)) {
        become_fenced(effects);
    }
}

void Engine::on_mark_answer(NodeId from, const MarkAnswer& answer, Effects& effects,
                            TimePoint now) {
    if (!is_sound(answer.voters)) {
        return;
    }
    learn(from, answer.voters, answer.marks, effects, now);
    std::optional<Fencing>& fencing = state_.fencing;
    if (!fencing || fencing->done || fencing->victim != answer.victim ||
        fencing->boot != answer.boot) {
        return;
    }
    if (is_witness(from)) {
        note_word_of_witness(answer, effects, now);
    }
    if (!answer.run_out || !fencing->agreed || fencing->done) {
        return;
    }
    if (!is_in(fencing->run_out, from)) {
        fencing->run_out.push_back(from);
        std::sort(fencing->run_out.begin(), fencing->run_out.end());
    }
    if (state_.voters.majority(fencing->run_out)) {
        fencing->done = true;
        effects.emplace_back(RunOut{answer.victim, answer.boot});
    }
}

void Engine::note_word_of_witness(const MarkAnswer& answer, Effects& effects, TimePoint now) {
    const auto has_mark = [&answer](const Mark& mark) {
        return std::find(answer.marks.begin(), answer.marks.end(), mark) != answer.marks.end();
    };
    Fencing& fencing = *state_.fencing;
    const bool is_marked = has_mark({answer.victim, answer.boot});
    fencing.refused = !is_marked && has_mark({setup_.self.node, setup_.self.boot});
    if (is_marked && !std::exchange(fencing.agreed, true)) {
        mark_victim(effects, now);
    }
}

void Engine::join_marks(const Marks& marks, Effects& effects) {
    voter_.join_marks(marks, state_.voters.all());
    if (voter_.is_marked(setup_.self.node, setup_.self.boot)) {
        become_fenced(effects);
    }
}

void Engine::become_fenced(Effects& effects) {
    if (std::exchange(state_.fenced, true)) {
        return;
    }
    state_.wanted = false;
    end_standing_in();
    if (holder_.phase() != Phase::idle) {
        end(End::fenced, effects);
    }
    effects.emplace_back(Fenced{});
}

}  // namespace vpnha::lease
