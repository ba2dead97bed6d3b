// SPDX-License-Identifier: GPL-2.0-or-later
// The list of voters that a lease engine uses, and how a node without a memory gets one (13).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

namespace {

using Notified = Engine::Recollection::Notified;

// By one of the lists: decisions that these nodes alone may have made.
bool any_majority(const Voters& voters, const std::vector<NodeId>& nodes) {
    return voters.current.majority(nodes) || (voters.next && voters.next->majority(nodes));
}

}  // namespace

void Engine::learn(NodeId from, const Voters& voters, const Marks& marks, Effects& effects,
                   TimePoint now) {
    if (is_witness(from)) {
        return;
    }
    note_difference(from, voters);
    if (voters.newer_than(state_.voters) && is_plausible(from, voters.newest().version.epoch)) {
        learn_newer(voters, now);
    }
    join_marks(marks, effects);
}

void Engine::learn_newer(const Voters& voters, TimePoint now) {
    // The list by which this node voted for the first grant proves no other lives. It does if that
    // grant was this node's own: it has stamped the list itself, and forgotten that. Its next claim
    // would then reuse the number of that claim.
    const VoterList& own = state_.voters.current;
    const bool voted_by_it = voters.current.version == ListVersion{voter_.granted(), 0} &&
                             voter_.granted().node != setup_.self.node &&
                             voters.current.nodes == own.nodes;
    if (remembers() || voted_by_it) {
        take_over(voters, now);
    }
}

void Engine::take_over(const Voters& voters, TimePoint now) {
    // The other one of two is dead, whatever list leaves it out.
    state_.alone = state_.alone && voters.current.nodes == state_.voters.current.nodes &&
                   (!voters.next || voters.next->nodes == std::vector{setup_.self.node});
    state_.voters = voters;
    state_.recollection = {};
    holder_.restart_rounds(now);
    state_.differing.clear();
    std::erase_if(state_.lives, [this](const Life& life) { return !state_.voters.has(life.node); });
}

void Engine::note_difference(NodeId from, const Voters& voters) {
    const VoterList& own = state_.voters.newest();
    const VoterList& other = voters.newest();
    std::erase(state_.differing, from);
    if (other.version == own.version && other.nodes != own.nodes) {
        state_.differing.push_back(from);
        std::sort(state_.differing.begin(), state_.differing.end());
    }
}

void Engine::ask_for_memory(Effects& effects, TimePoint now) {
    Recollection& recollection = state_.recollection;
    if (remembers() || now < recollection.ask_at) {
        return;
    }
    // A query that is unanswered after one interval is worth a report.
    if (std::vector<NodeId> nodes = awaited();
        std::exchange(recollection.asked, true) && nodes != recollection.reported) {
        recollection.reported = nodes;
        if (!nodes.empty()) {
            effects.emplace_back(Awaits{std::move(nodes)});
        }
    }
    recollection.ask_at = now + setup_.timing.lease;
    // Also nodes that are not in the list by which it has voted: they may remember a newer one. A
    // witness is only in a list that it has reported.
    std::vector<NodeId> asked = state_.voters.all();
    if (const Voters* const newest = newest_reported()) {
        const std::vector<NodeId> notified = newest->all();
        asked.insert(asked.end(), notified.begin(), notified.end());
    }
    asked.insert(asked.end(), setup_.voters.begin(), setup_.voters.end());
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    for (const NodeId node : asked) {
        if (node != setup_.self.node) {
            send(node, Recall{}, effects);
        }
    }
}

void Engine::report_memory(const Sender& asker, Effects& effects) const {
    send(asker.node, Memory{asker.instance, voter_.granted(), {}, state_.voters}, effects);
}

void Engine::on_memory(NodeId from, const Memory& memory, Effects& effects, TimePoint now) {
    if (memory.to != setup_.self.instance || !is_sound(memory.voters) ||
        !is_plausible(from, memory.granted) ||
        !is_plausible(from, memory.voters.newest().version.epoch)) {
        return;
    }
    if (!is_witness(from)) {
        note_difference(from, memory.voters);
        state_.named =
            std::max({state_.named, memory.granted, memory.voters.newest().version.epoch});
    }
    if (remembers()) {
        return;
    }
    Recollection& recollection = state_.recollection;
    std::erase_if(recollection.notified,
                  [from](const Notified& notified) { return notified.node == from; });
    recollection.notified.push_back({from, memory});
    recall(effects, now);
}

const Voters* Engine::newest_reported() const {
    const Voters* newest = nullptr;
    for (const Notified& notified : state_.recollection.notified) {
        const Voters& voters = notified.memory.voters;
        if (!is_witness(notified.node) && voters.newest().has_version() &&
            (newest == nullptr || voters.newer_than(*newest))) {
            newest = &voters;
        }
    }
    return newest;
}

bool Engine::reported_by(NodeId node) const {
    const std::vector<Notified>& notified = state_.recollection.notified;
    return std::any_of(notified.begin(), notified.end(),
                       [node](const Notified& each) { return each.node == node; });
}

std::vector<NodeId> Engine::awaited() const {
    if (remembers()) {
        return {};
    }
    const Voters* const newest = newest_reported();
    std::vector<NodeId> nodes = newest != nullptr ? newest->all() : state_.voters.all();
    const Recollection& known = state_.recollection;
    std::erase_if(nodes, [&](NodeId node) {
        return node == setup_.self.node || is_in(known.spared, node) ||
               std::any_of(known.notified.begin(), known.notified.end(), [&](const Notified& each) {
                   // Another node without a memory does not report what this one has forgotten.
                   return each.node == node &&
                          (newest == nullptr || each.memory.voters.newest().has_version());
               });
    });
    // Alone a majority: no other node knows its own decisions.
    const std::vector<NodeId> self{setup_.self.node};
    if (newest != nullptr && !is_in(known.spared, setup_.self.node) &&
        any_majority(*newest, self)) {
        nodes.insert(std::lower_bound(nodes.begin(), nodes.end(), setup_.self.node),
                     setup_.self.node);
    }
    return nodes;
}

void Engine::recall(Effects& effects, TimePoint now) {
    std::vector<NodeId> unknown = awaited();
    const Voters* const newest = newest_reported();
    if (newest == nullptr) {
        if (unknown.empty() && !state_.recollection.spared.empty()) {
            // By an administrator's order: older than whatever was ever granted.
            Voters voters = state_.voters;
            voters.current.version = {Epoch{0, setup_.self.node}, 0};
            take_over(voters, now);
            effects.emplace_back(Recalled{state_.voters.current});
        }
        return;
    }
    if (!is_in(state_.recollection.spared, setup_.self.node) && !is_in(unknown, setup_.self.node)) {
        unknown.push_back(setup_.self.node);
        std::sort(unknown.begin(), unknown.end());
    }
    if (any_majority(*newest, unknown)) {
        return;
    }
    // A claim by the list without a version had only votes of nodes that forgot as much. Its number
    // may have been used in another life.
    if (holder_.phase() != Phase::idle) {
        end(End::given_up, effects);
    }
    const Voters voters = *newest;
    const std::vector<Notified> notified = std::move(state_.recollection.notified);
    take_over(voters, now);
    for (const Notified& each : notified) {
        voter_.remember(each.memory.granted);
        note_granted(each.node, each.memory.granted);
    }
    effects.emplace_back(Recalled{state_.voters.newest()});
    for (const Notified& each : notified) {
        if (!is_witness(each.node)) {
            join_marks(each.memory.marks, effects);
        }
    }
}

Result<Effects> Engine::vote_without(NodeId node, TimePoint now) {
    if (!is_in(awaited(), node)) {
        return fail(Errc::invalid_argument,
                    remembers()
                        ? "this node remembers the voters, and waits for no other node"
                        : fmt::format("node {} has sent its memory; this node does not wait for it",
                                      node.value));
    }
    Effects effects;
    lapse(effects, now);
    state_.recollection.spared.push_back(node);
    recall(effects, now);
    return saved_first(std::move(effects));
}

Effects Engine::configure(const std::vector<NodeId>& nodes, TimePoint now) {
    Effects effects;
    lapse(effects, now);
    setup_.voters = first_voters(setup_, nodes);
    // A node that has voted by a list is bound to it.
    if (!remembers() && voter_.granted() == Epoch{} &&
        state_.voters.current.nodes != setup_.voters) {
        state_.voters.current.nodes = setup_.voters;
        state_.differing.clear();
        recall(effects, now);
    }
    return saved_first(std::move(effects));
}

}  // namespace vpnha::lease
