// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/liveness.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "checker/key.hpp"

namespace vpnha::checker {

namespace {

// An abstention, a promise, two refusals and a few rounds.
constexpr int kTicks = 30;
// Messages that answer messages: a claim, its handover, the counters, the answer.
constexpr int kTurns = 4;

bool speaks(const World& world) {
    return std::any_of(world.nodes.begin(), world.nodes.end(),
                       [](const auto& node) { return node->speaks(); });
}

// A majority of the newest list of voters lives, and remembers it or an earlier one; where nobody
// remembers anything all of them live.
bool majority_lives(const World& world) {
    std::vector<NodeId> alive;
    std::vector<NodeId> remembering;
    const lease::Voters* newest = nullptr;
    for (const auto& node : world.nodes) {
        if (!node->dead) {
            alive.push_back(node->self.node);
            if (node->engine.remembers()) {
                remembering.push_back(node->self.node);
            }
            const lease::Voters& voters = node->engine.state().voters;
            newest = newest == nullptr || voters.newer_than(*newest) ? &voters : newest;
        }
    }
    return newest != nullptr &&
           newest->majority(newest->newest().has_version() ? remembering : alive);
}

std::optional<std::size_t> candidate(const World& world) {
    const bool majority = majority_lives(world);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < world.nodes.size(); ++i) {
        const Node& node = *world.nodes[i];
        const lease::Engine::State& state = node.engine.state();
        if (!node.dead && !state.fenced && (majority || state.alone) && (!found || state.wanted)) {
            found = i;
            if (state.wanted) {
                break;
            }
        }
    }
    return found;
}

void begin_good_times(Step& step) {
    step.world.left = {};
    step.world.network.clear();
    std::uint8_t alive = 0;
    for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
        alive |= static_cast<std::uint8_t>(step.world.nodes[i]->dead ? 0 : 1U << i);
    }
    for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
        Node& node = step.change(i);
        node.paused = false;
        node.present = alive;
        node.quorate = true;
        node.engine.stand_back();
        if (!node.dead) {
            step.execute(i, node.engine.on_members(members(alive), true, node.now),
                         Answers::at_once);
        }
    }
}

// It alone is promoted.
void promote(Step& step, std::size_t wanted) {
    for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
        const bool is_wanted = step.world.nodes[i]->engine.state().wanted;
        if (is_wanted != (i == wanted)) {
            Node& node = step.change(i);
            step.execute(i,
                         is_wanted ? node.engine.demote(node.now) : node.engine.promote(node.now),
                         Answers::at_once);
        }
    }
}

void act(Step& step, std::size_t i) {
    if (!step.world.nodes[i]->runs()) {
        return;
    }
    Node& node = step.change(i);
    const auto due = node.engine.next_deadline();
    if (due && *due <= node.now) {
        step.execute(i, node.engine.on_time(node.now), Answers::at_once);
    }
    const auto& handing = node.engine.state().handing;
    if (handing && handing->asked) {
        step.execute(i, node.engine.on_counters({}, node.now), Answers::at_once);
    }
}

void receive_everything(Step& step) {
    const auto sent = std::exchange(step.world.network, {});
    for (const auto& flying : sent) {
        for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
            if ((flying->to >> i & 1) != 0 && step.world.nodes[i]->runs()) {
                step.deliver(i, *flying, Answers::at_once);
            }
        }
    }
}

}  // namespace

bool Liveness::can_serve(const World& world) {
    Step step(run_, world);
    begin_good_times(step);
    std::vector<Print> way;
    for (int tick = 0; tick < kTicks; ++tick) {
        const auto wanted = candidate(step.world);
        const Print print = key_of(run_, step.world);
        if (speaks(step.world) || !wanted || known_.contains(print)) {
            for (const Print& each : way) {
                known_.insert(each);
            }
            return true;
        }
        way.push_back(print);
        promote(step, *wanted);
        for (int turn = 0; turn < kTurns; ++turn) {
            for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
                act(step, i);
            }
            receive_everything(step);
        }
        step.tick();
    }
    return false;
}

}  // namespace vpnha::checker
