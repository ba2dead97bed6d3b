// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/moves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "checker/lies.hpp"

namespace vpnha::checker {

namespace {

class Moves {
  public:
    Moves(const Run& run, const World& before, const Visit& visit)
        : run_(run), before_(before), visit_(visit) {}

    void all() {
        Step ticked(run_, before_);
        ticked.tick();
        emit(std::move(ticked), Move{"tick"});
        for (std::size_t i = 0; i < before_.nodes.size(); ++i) {
            const Node& node = *before_.nodes[i];
            if (node.paused) {
                thaw(i);
            } else if (node.dead) {
                power_back(i);
            } else if (node.is_witness()) {
                witness_events(i, node);
            } else {
                engine_events(i, node);
                accidents(i, node);
                receive_all(i);
                handle_lies(i);
            }
        }
    }

  private:
    void emit(Step step, const Move& move) {
        step.finish();
        if (!step.world.beyond) {
            visit_(std::move(step.world), move);
        }
    }

    // `event` is an engine's; it may cost a claim.
    template <class Event>
    void event(std::size_t i, Move move, Bounds left, Event event) {
        const auto run = [&](Step& step, auto... breaks) {
            step.world.left = left;
            Node& node = step.change(i);
            const Epoch claimed = node.engine.holder().epoch();
            const lease::Effects effects = event(node);
            const bool may = node.engine.holder().epoch() == claimed || may_claim(i, step);
            if (may) {
                step.execute(i, effects, Answers::at_once, breaks...);
            }
            return may;
        };
        Step step(run_, before_);
        if (run(step)) {
            emit(std::move(step), move);
            crash_within(i, run);
        }
    }

    // `run` executes an event of node i, and breaks it off behind its n-th effect. Before the first
    // one it has not happened, behind the last one it has crashed like at any other time.
    template <class Run>
    void crash_within(std::size_t i, Run run) {
        for (std::size_t n = 1; before_.left.breaks > 0; ++n) {
            Step step(run_, before_);
            run(step, n);
            if (!step.broke()) {
                return;
            }
            --step.world.left.breaks;
            emit(std::move(step), {"crashes within its last event, behind effect", i, n - 1});
        }
    }

    void receive_all(std::size_t i) {
        for (std::size_t m = 0; m < before_.network.size(); ++m) {
            receive(i, m);
        }
    }

    void handle_lies(std::size_t i) {
        if (run_.third != Third::liar) {
            return;
        }
        for (const Lie& lie : lies_to(run_, before_, i)) {
            Step step(run_, before_);
            step.deliver(i, {before_.nodes[kThird]->self, {}, lie.message}, Answers::at_once);
            emit(std::move(step), {lie.what, i});
        }
    }

    void witness_events(std::size_t i, const Node& node) {
        if (!node.witness) {
            return;
        }
        const auto due = node.next_deadline();
        if (due && *due <= node.now) {
            Step step(run_, before_);
            step.act(i);
            emit(std::move(step), {"acts", i});
        }
        if (!node.unsaved.empty()) {
            Step step(run_, before_);
            step.write(i);
            emit(std::move(step), {"has written to its disk", i});
        }
        if (before_.left.crashes > 0) {
            crash_of_witness(i, node);
            Step step(run_, before_);
            --step.world.left.crashes;
            step.end_cleanly(i);
            emit(std::move(step), {"ends cleanly and starts", i});
        }
        receive_all(i);
    }

    // Its disk has the first so many of what it saved.
    void crash_of_witness(std::size_t i, const Node& node) {
        for (std::size_t saved = 0; saved <= node.unsaved.size(); ++saved) {
            Step step(run_, before_);
            --step.world.left.crashes;
            if (saved > 0) {
                const lease::Witness::File& file = node.unsaved[saved - 1].file;
                step.change(i).disk = file.durable;
                step.change(i).ahead = file.ahead;
            }
            step.restart(i);
            emit(std::move(step), {"crashes and restarts", i});
        }
    }

    void power_back(std::size_t i) {
        if (before_.left.returns == 0) {
            return;
        }
        Step step(run_, before_);
        --step.world.left.returns;
        step.change(i).dead = false;
        step.restart(i);
        emit(std::move(step), {"has its power back", i});
    }

    void engine_events(std::size_t i, const Node& node) {
        const Bounds& left = before_.left;
        const auto due = node.engine.next_deadline();
        if (due && *due <= node.now) {
            event(i, {"acts", i}, left, [](Node& it) { return it.engine.on_time(it.now); });
        }
        if (!node.engine.state().wanted && left.claims > 0 &&
            i < static_cast<std::size_t>(run_.claimants)) {
            event(i, {"is promoted", i}, left, [](Node& it) { return it.engine.promote(it.now); });
        }
        if (left.releases > 0 && node.engine.holder().phase() != lease::Phase::idle) {
            Bounds after = left;
            --after.releases;
            event(i, {"releases", i}, after,
                  [](Node& it) { return it.engine.release(true, it.now); });
        }
        if (left.resizes > 0) {
            Bounds after = left;
            --after.resizes;
            const bool is_own = node.engine.holder().timing().lease == timing_of(run_, i).lease;
            const Duration lease = is_own ? Duration(run_.other_lease) : timing_of(run_, i).lease;
            event(i, {"sizes its lease anew", i}, after, [lease](Node& it) {
                it.engine.resize(lease);
                return lease::Effects{};
            });
        }
        if (left.demotions > 0 && node.engine.holder().serving()) {
            Bounds after = left;
            --after.demotions;
            event(i, {"is demoted", i}, after, [](Node& it) { return it.engine.demote(it.now); });
        }
        standing_in(i, node);
        if (node.engine.state().handing && node.engine.state().handing->asked) {
            event(i, {"reads counters", i}, left,
                  [](Node& it) { return it.engine.on_counters({}, it.now); });
        }
        fencing_events(i, node);
        list_events(i, node);
    }

    void standing_in(std::size_t i, const Node& node) {
        const lease::Engine::State& state = node.engine.state();
        if (before_.left.inquiries > 0 && !state.wanted && !state.inquiry) {
            Bounds after = before_.left;
            --after.inquiries;
            event(i, {"asks whether to stand in", i}, after,
                  [](Node& it) { return it.engine.stand_in(it.now); });
        }
        // Its claim is in vain, a step fails, or it is cut off for too long.
        if (run_.stands_in && state.wanted && !state.ordered &&
            node.engine.holder().phase() != lease::Phase::idle) {
            event(i, {"gives up", i}, before_.left, [](Node& it) {
                return it.engine.holder().serving() ? it.engine.release(false, it.now)
                                                    : it.engine.demote(it.now);
            });
        }
        if (before_.left.yields == 0 || node.engine.holder().phase() != lease::Phase::holding) {
            return;
        }
        Bounds after = before_.left;
        --after.yields;
        event(i, {"yields", i}, after, [](Node& it) {
            it.engine.yield(lease::Yields::to_anybody, std::nullopt);
            return lease::Effects{};
        });
        for (std::size_t other = 0; other < before_.nodes.size(); ++other) {
            if (other != i) {
                event(i, {"yields, but not to node", i, other}, after, [this, other](Node& it) {
                    it.engine.yield(lease::Yields::to_ordered, id_of(run_, other));
                    return lease::Effects{};
                });
            }
        }
    }

    // With equal clocks, all votes and no special start nodes differ by the order of those of them
    // that claim, which decides between equal numbers: let these be the first. Node 3 claims only
    // where nodes 1 and 2 have done so, or still can.
    [[nodiscard]] bool may_claim(std::size_t i, Step& step) const {
        if (step.world.left.claims == 0) {
            return false;
        }
        const std::uint8_t left = --step.world.left.claims;
        const bool alike = run_.rates[0] == run_.rates[1] && run_.rates[1] == run_.rates[2] &&
                           run_.voters == run_.nodes && run_.start == Start::idle &&
                           run_.bounds.inquiries == 0 && !run_.first_lease;
        if (!alike) {
            return true;
        }
        step.world.claimants |= static_cast<std::uint8_t>(1U << i);
        const unsigned claimants = step.world.claimants;
        return std::bit_width(claimants) - std::popcount(claimants) <= left;
    }

    void fencing_events(std::size_t i, const Node& node) {
        const auto& fencing = node.engine.state().fencing;
        if (fencing && !fencing->done) {
            fence(i, {"asks for marks again", i}, before_.left, index_of(fencing->victim));
        } else if (before_.left.marks > 0) {
            for (std::size_t victim = 0; victim < before_.nodes.size(); ++victim) {
                if (victim != i && may_be_marked(victim)) {
                    Bounds after = before_.left;
                    --after.marks;
                    fence(i, {"asks for marks of", i, victim}, after, victim);
                }
            }
        }
        if (before_.left.deaths > 0) {
            for (std::size_t victim = 0; victim < before_.nodes.size(); ++victim) {
                if (victim != i && !before_.nodes[victim]->dead &&
                    node.engine.newest_life_of(id_of(run_, victim))) {
                    power_off(i, victim);
                }
            }
        }
    }

    // Of two nodes beside a witness each may want the other one marked.
    [[nodiscard]] bool may_be_marked(std::size_t victim) const {
        const Node& node = *before_.nodes[victim];
        return node.speaks() || (run_.third == Third::witness && !node.is_witness());
    }

    void fence(std::size_t i, Move move, Bounds left, std::size_t victim) {
        const lease::BootId boot = before_.nodes[victim]->self.boot;
        event(i, move, left, [&](Node& it) {
            return it.engine.fence(id_of(run_, victim), boot, it.now).value_or(lease::Effects{});
        });
    }

    // Power off, seen by a fencing device, told to node i.
    void power_off(std::size_t i, std::size_t victim) {
        Step step(run_, before_);
        --step.world.left.deaths;
        Node& gone = step.change(victim);
        gone.dead = true;
        gone.gate = {};
        Node& node = step.change(i);
        const Epoch claimed = node.engine.holder().epoch();
        const auto effects =
            node.engine.confirm_dead(id_of(run_, victim), lease::Confirmed::by_device, node.now);
        if (!effects || (node.engine.holder().epoch() != claimed && !may_claim(i, step))) {
            return;
        }
        step.execute(i, *effects, Answers::at_once);
        emit(std::move(step), {"is told that it is off:", i, victim});
    }

    void list_events(std::size_t i, const Node& node) {
        if (before_.left.changes == 0) {
            return;
        }
        for (std::size_t other = 0; other < before_.nodes.size(); ++other) {
            std::vector<NodeId> nodes = node.engine.state().voters.current.nodes;
            if (std::erase(nodes, id_of(run_, other)) == 0) {
                nodes.insert(std::upper_bound(nodes.begin(), nodes.end(), id_of(run_, other)),
                             id_of(run_, other));
            }
            lease::Engine trial = node.engine;
            if (trial.change_voters(nodes, node.now)) {
                Bounds after = before_.left;
                --after.changes;
                event(i, {"changes the vote of", i, other}, after, [&](Node& it) {
                    return it.engine.change_voters(nodes, it.now).value_or(lease::Effects{});
                });
            }
        }
    }

    void accidents(std::size_t i, const Node& node) {
        if (before_.left.crashes > 0) {
            Step step(run_, before_);
            --step.world.left.crashes;
            step.restart(i);
            emit(std::move(step), {"crashes and restarts", i});
        }
        if (before_.left.losses > 0) {
            Step step(run_, before_);
            --step.world.left.losses;
            step.restart(i, false);
            emit(std::move(step), {"loses its disk and restarts", i});
        }
        if (before_.left.cuts > 0) {
            Step step(run_, before_);
            --step.world.left.cuts;
            step.cut_power(i);
            emit(std::move(step), {"loses its power", i});
        }
        if (before_.left.pauses > 0 && node.speaks()) {
            Step step(run_, before_);
            --step.world.left.pauses;
            step.change(i).paused = true;
            emit(std::move(step), {"is paused", i});
        }
        if (before_.left.rings > 0) {
            Bounds after = before_.left;
            --after.rings;
            for (std::size_t other = 0; other < before_.nodes.size(); ++other) {
                if (before_.nodes[other]->is_witness()) {
                    continue;
                }
                const std::uint8_t present =
                    static_cast<std::uint8_t>(other == i ? 1U << i : kAll & ~(1U << other));
                const char* what = other == i ? "loses quorum" : "loses from its group";
                event(i, {what, i, other}, after, [&](Node& it) {
                    it.present = present;
                    it.quorate = other != i;
                    return it.engine.on_members(members(it.present), it.quorate, it.now);
                });
            }
            event(i, {"has its whole group", i}, after, [](Node& it) {
                it.present = kAll;
                it.quorate = true;
                return it.engine.on_members(members(it.present), it.quorate, it.now);
            });
        }
    }

    void thaw(std::size_t i) {
        Step step(run_, before_);
        Node& node = step.change(i);
        node.paused = false;
        node.thaw_over = node.now + timing_of(run_, i).lease;
        emit(std::move(step), {"thaws", i});
    }

    void receive(std::size_t i, std::size_t m) {
        if ((before_.network[m]->to >> i & 1) == 0) {
            return;
        }
        const Move move{"receives", i, m, true};
        Step step(run_, before_);
        step.deliver(i, *before_.network[m], Answers::at_once);
        const bool answered = step.answered();
        emit(std::move(step), move);
        crash_within(i, [&](Step& broken, std::size_t breaks) {
            broken.deliver(i, *before_.network[m], Answers::at_once, breaks);
        });
        if (answered && run_.answers != Answers::at_once) {
            reply(i, m, run_.answers);
        }
    }

    void reply(std::size_t i, std::size_t m, Answers answers) {
        Step step(run_, before_);
        step.deliver(i, *before_.network[m], answers);
        emit(std::move(step),
             {answers == Answers::late ? "answers late" : "answers in vain", i, m, true});
    }

    const Run& run_;
    const World& before_;
    const Visit& visit_;
};

}  // namespace

void for_each_move(const Run& run, const World& world, const Visit& visit) {
    Moves(run, world, visit).all();
}

std::string describe(const World& before, const Move& move) {
    if (!move.subject) {
        return std::string(move.what);
    }
    std::string text = fmt::format("node {} {}", *move.subject + 1, move.what);
    if (!move.object) {
        return text;
    }
    if (!move.is_message) {
        return fmt::format("{} {}", text, *move.object + 1);
    }
    const Flying& flying = *before.network[*move.object];
    const unsigned from = flying.sender.node.value;
    if (const auto* round = std::get_if<lease::Round>(&flying.message)) {
        return fmt::format("{} round {} of {}", text, round->id.number, to_string(round->id.epoch));
    }
    if (const auto* release = std::get_if<lease::Release>(&flying.message)) {
        return fmt::format("{} the release of {}", text, to_string(release->epoch));
    }
    if (const auto* answer = std::get_if<lease::Answer>(&flying.message)) {
        return fmt::format("{} node {}'s answer to round {} of {}", text, from, answer->id.number,
                           to_string(answer->id.epoch));
    }
    if (const auto* mark = std::get_if<lease::MarkRequest>(&flying.message)) {
        return fmt::format("{} the request to mark node {}", text, mark->victim.value);
    }
    if (std::holds_alternative<lease::Recall>(flying.message)) {
        return fmt::format("{} node {}'s question what it remembers", text, from);
    }
    if (std::holds_alternative<lease::Question>(flying.message)) {
        return fmt::format("{} node {}'s question whether to stand in", text, from);
    }
    return fmt::format("{} a message of node {}", text, from);
}

}  // namespace vpnha::checker
