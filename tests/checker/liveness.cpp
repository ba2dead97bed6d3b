// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/liveness.hpp"

#include <algorithm>
#include <array>
#include <bit>
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
// Three ranks, a claim in vain of each, and each once more.
constexpr int kStandInTicks = 80;
// From one rank to the next: two questions, and a claim.
constexpr int kRankTicks = 3;
// A claim of a node that stands in is given up, and made again.
constexpr int kVainTicks = 4;
constexpr int kRetryTicks = 7;
// Of fewer nobody stands in.
constexpr std::size_t kVotersMin = 3;

bool speaks(const World& world) {
    return std::any_of(world.nodes.begin(), world.nodes.end(),
                       [](const auto& node) { return node->speaks(); });
}

// Who is no voter by its own list is asked by nobody: what it knows does not get to the others.
const lease::Voters* newer(const lease::Voters* known, const Node& node) {
    const lease::Voters& voters = node.engine.state().voters;
    const bool is_newer = known == nullptr || voters.newer_than(*known);
    return is_newer && voters.has(node.self.node) ? &voters : known;
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
            newest = newer(newest, *node);
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
        if (!node.is_witness() && !node.dead && !state.fenced && (majority || state.alone) &&
            (!found || state.wanted)) {
            found = i;
            if (state.wanted) {
                break;
            }
        }
    }
    return found;
}

void write_all(Step& step, std::size_t i) {
    while (!step.world.nodes[i]->unsaved.empty()) {
        step.write(i);
    }
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
        if (node.is_witness()) {
            write_all(step, i);
            continue;
        }
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
    write_all(step, i);
    Node& node = step.change(i);
    const auto due = node.next_deadline();
    if (due && *due <= node.now) {
        step.act(i);
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

// Groups lose who is dead, and with that perhaps their quorum; else they stay as they are.
void notice_deaths(Step& step) {
    const std::size_t nodes = step.world.nodes.size();
    std::uint8_t alive = 0;
    for (std::size_t i = 0; i < nodes; ++i) {
        alive |= static_cast<std::uint8_t>(step.world.nodes[i]->dead ? 0 : 1U << i);
    }
    for (std::size_t i = 0; i < nodes; ++i) {
        Node& node = step.change(i);
        if (node.is_witness()) {
            write_all(step, i);
            continue;
        }
        node.engine.stand_back();
        node.present &= alive;
        // Of a pair one is quorate (two_node).
        node.quorate =
            node.quorate && (step.world.nodes.back()->is_witness() ||
                             2U * static_cast<unsigned>(std::popcount(node.present)) > nodes);
        if (node.runs()) {
            step.execute(i, node.engine.on_members(members(node.present), node.quorate, node.now),
                         Answers::at_once);
        }
    }
}

const lease::Voters* newest_of_living(const World& world) {
    const lease::Voters* newest = nullptr;
    for (const auto& node : world.nodes) {
        newest = node->runs() ? newer(newest, *node) : newest;
    }
    return newest;
}

bool is_complete(const Run& run, const World& world, std::size_t i) {
    for (std::size_t other = 0; other < world.nodes.size(); ++other) {
        if (world.nodes[other]->runs() && position_of(run, i) < position_of(run, other)) {
            return false;
        }
    }
    return true;
}

bool could_stand_in(const Run& run, const World& world, std::size_t i) {
    const Node& node = *world.nodes[i];
    const lease::Engine::State& state = node.engine.state();
    const lease::Voters* const newest = newest_of_living(world);
    if (newest == nullptr || node.is_witness() || !node.runs() || !node.quorate || state.fenced ||
        state.alone || !is_complete(run, world, i) || newest->newest().nodes.size() < kVotersMin ||
        !newest->newest().has(node.self.node)) {
        return false;
    }
    std::vector<NodeId> voters;
    for (const auto& voter : world.nodes) {
        const bool misses = voter->quorate && (voter->present >> i & 1) == 0;
        if (voter->runs() && voter->engine.remembers() && !misses) {
            voters.push_back(voter->self.node);
        }
    }
    return newest->majority(voters);
}

// Nobody else is wanted, the voters in its reach are a majority, and it has quorum, or none of them
// has granted a higher epoch.
bool could_continue(const World& world, std::size_t i) {
    const lease::Engine::State& state = world.nodes[i]->engine.state();
    if (!world.nodes[i]->runs() || !state.wanted || !state.lapsed || state.fenced ||
        state.voters.newest().nodes.size() < kVotersMin) {
        return false;
    }
    std::vector<NodeId> voters;
    for (const auto& voter : world.nodes) {
        const bool misses = voter->quorate && (voter->present >> i & 1) == 0;
        const bool is_higher =
            !world.nodes[i]->quorate &&
            voter->engine.voter().granted() > world.nodes[i]->engine.holder().epoch();
        if (voter->runs() && is_higher) {
            return false;
        }
        if (voter->runs() && voter->engine.remembers() && !misses) {
            voters.push_back(voter->self.node);
        }
    }
    return state.voters.majority(voters) &&
           std::count_if(world.nodes.begin(), world.nodes.end(),
                         [](const auto& node) { return node->engine.state().wanted; }) == 1;
}

// When a standby asks and gives up, in ticks: what node::StandIn does with times of its own.
class Standby {
  public:
    void turn(Step& step, const Run& run, std::size_t i, int tick) {
        if (!step.world.nodes[i]->runs() || step.world.nodes[i]->is_witness()) {
            return;
        }
        Node& node = step.change(i);
        const lease::Engine::State& state = node.engine.state();
        const bool claims = state.wanted && !state.ordered &&
                            node.engine.holder().phase() == lease::Phase::claiming;
        claims_since_ = claims ? std::optional(claims_since_.value_or(tick)) : std::nullopt;
        if (claims_since_ && tick >= *claims_since_ + kVainTicks) {
            step.execute(i, node.engine.demote(node.now), Answers::at_once);
            claims_since_.reset();
            not_before_ = tick + kRetryTicks;
        }
        const bool able = may_ask(step.world, run, i) && tick >= not_before_;
        if (!able) {
            able_since_.reset();
            step.change(i).engine.stand_back();
            return;
        }
        able_since_ = able_since_.value_or(tick);
        if (!state.inquiry && tick >= *able_since_ + kRankTicks * rank(step.world, run, i)) {
            step.execute(i, node.engine.stand_in(node.now), Answers::at_once);
        }
    }

    // Of equal ones the same follows.
    [[nodiscard]] std::array<char, 3> key(int tick) const {
        const auto ago = [tick](const std::optional<int>& then) {
            return static_cast<char>(then ? tick - *then : -1);
        };
        return {ago(able_since_), ago(claims_since_),
                static_cast<char>(std::max(not_before_ - tick, 0))};
    }

  private:
    static bool may_ask(const World& world, const Run& run, std::size_t i) {
        const Node& node = *world.nodes[i];
        const lease::Engine::State& state = node.engine.state();
        const lease::Voter& voter = node.engine.voter();
        const lease::Voter::Promise& promise = voter.state().promise;
        return !state.wanted && node.quorate && is_complete(run, world, i) &&
               state.voters.newest().nodes.size() >= kVotersMin && !voter.ended_by_order({}) &&
               (promise.released || node.now >= promise.until) && !voter.abstains(node.now);
    }

    static int rank(const World& world, const Run& run, std::size_t i) {
        const NodeId promised = world.nodes[i]->engine.voter().state().promise.epoch.node;
        int before = 0;
        for (std::size_t other = 0; other < i; ++other) {
            const bool counts = (world.nodes[i]->present >> other & 1) != 0 &&
                                is_complete(run, world, other) && id_of(run, other) != promised;
            before += counts ? 1 : 0;
        }
        return before;
    }

    std::optional<int> able_since_;
    std::optional<int> claims_since_;
    int not_before_ = 0;
};

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

bool Liveness::can_stand_in(const World& world) {
    Step step(run_, world);
    step.world.left = {};
    step.world.left.claims = kUnbounded;
    step.world.network.clear();
    notice_deaths(step);
    bool could = false;
    for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
        could = could || could_stand_in(run_, step.world, i);
    }
    std::array<Standby, kNodesMax> standbys;
    std::vector<Print> way;
    for (int tick = 0; could && tick < kStandInTicks; ++tick) {
        Print print = key_of(run_, step.world);
        std::string times;
        for (const Standby& standby : standbys) {
            const auto key = standby.key(tick);
            times.append(key.begin(), key.end());
        }
        const Print of_times = print_of(times);
        print.a += of_times.a;
        print.b += of_times.b;
        if (speaks(step.world) || standing_.contains(print)) {
            for (const Print& each : way) {
                standing_.insert(each);
            }
            return true;
        }
        way.push_back(print);
        for (int turn = 0; turn < kTurns; ++turn) {
            for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
                standbys[i].turn(step, run_, i, tick);
                act(step, i);
            }
            receive_everything(step);
        }
        step.tick();
    }
    return !could;
}

bool Liveness::can_continue(const World& world) {
    Step step(run_, world);
    step.world.left = {};
    step.world.network.clear();
    bool could = false;
    for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
        could = could || could_continue(step.world, i);
    }
    std::vector<Print> way;
    for (int tick = 0; could && tick < kTicks; ++tick) {
        const Print print = key_of(run_, step.world);
        if (speaks(step.world) || continuing_.contains(print)) {
            for (const Print& each : way) {
                continuing_.insert(each);
            }
            return true;
        }
        way.push_back(print);
        for (int turn = 0; turn < kTurns; ++turn) {
            for (std::size_t i = 0; i < step.world.nodes.size(); ++i) {
                if (!step.world.nodes[i]->is_witness()) {
                    step.change(i).engine.stand_back();
                }
                act(step, i);
            }
            receive_everything(step);
        }
        step.tick();
    }
    return !could;
}

}  // namespace vpnha::checker
