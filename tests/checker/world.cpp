// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vpnha::checker {

namespace {

using lease::Message;

lease::Setup setup_of(const Run& run, const lease::Sender& self) {
    lease::Setup setup{self, timing_of(run), {}};
    for (int i = 0; i < run.voters; ++i) {
        setup.voters.push_back(id_of(static_cast<std::size_t>(i)));
    }
    return setup;
}

Node new_node(const Run& run, std::size_t index, TimePoint started, TimePoint now) {
    lease::Sender self{id_of(index), {}, {1}};
    self.boot.octets.fill(static_cast<std::uint8_t>(index + 1));
    Node node{lease::Engine(setup_of(run, self), std::nullopt, started),
              self,
              {},
              now,
              {},
              {},
              {},
              kEverybody,
              true,
              false,
              false};
    static_cast<void>(node.engine.on_members(kEverybody, true, now));
    return node;
}

// Whoever could answer it has granted a higher epoch, on disk, and its sender no longer asks.
bool is_refused_by_all(const lease::Round& round, const Flying& flying, const World& world) {
    const Node& asker = *world.nodes[index_of(flying.sender.node)];
    const lease::Holder::State& holder = asker.engine.holder().state();
    if (holder.phase == lease::Phase::claiming && holder.claimed == round.id.epoch) {
        return false;
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
        const Node& node = *world.nodes[i];
        if ((flying.to >> i & 1) != 0 && (!node.disk || node.disk->granted <= round.id.epoch)) {
            return false;
        }
    }
    return true;
}

bool counts_no_more(const Flying& flying, const World& world) {
    const lease::Timing timing = world.nodes[0]->engine.holder().timing();
    if (const auto* round = std::get_if<lease::Round>(&flying.message)) {
        return round->sent_at + timing.lease <= world.nodes[index_of(flying.sender.node)]->now ||
               is_refused_by_all(*round, flying, world);
    }
    if (const auto* answer = std::get_if<lease::Answer>(&flying.message)) {
        const Node& asker = *world.nodes[index_of(answer->id.epoch.node)];
        const lease::Holder::State& holder = asker.engine.holder().state();
        return holder.phase == lease::Phase::idle || holder.claimed != answer->id.epoch ||
               asker.self.instance != answer->id.instance ||
               std::none_of(holder.rounds.begin(), holder.rounds.end(), [&](const auto& open) {
                   return open.number == answer->id.number &&
                          asker.now < open.sent_at + timing.lease;
               });
    }
    if (const auto* release = std::get_if<lease::Release>(&flying.message)) {
        return !matters(world, release->epoch);
    }
    return false;
}

}  // namespace

bool matters(const World& world, const Epoch& epoch) {
    const auto promises = [&epoch](const auto& node) {
        const lease::Voter::Promise& promise = node->engine.voter().state().promise;
        return promise.epoch == epoch && !promise.released && node->now < promise.until;
    };
    const auto asks = [&epoch](const auto& flying) {
        const auto* round = std::get_if<lease::Round>(&flying->message);
        return round != nullptr && round->id.epoch == epoch;
    };
    return std::any_of(world.nodes.begin(), world.nodes.end(), promises) ||
           std::any_of(world.network.begin(), world.network.end(), asks);
}

lease::Timing timing_of(const Run& run) {
    lease::Timing timing;
    timing.lease = timing.lease_max = Duration(run.lease);
    timing.renew = Duration((run.lease - 1) / 2);
    timing.rate_permille = 500;  // 2 : 3.
    timing.grain = Duration(0);  // Clocks are read exactly.
    timing.lame = Duration(run.lease);
    timing.absence = Duration(1);
    return timing;
}

Node& Step::change(std::size_t index) {
    std::shared_ptr<Node>& node = world.nodes[index];
    if (node.use_count() > 1) {
        node = std::make_shared<Node>(*node);
    }
    return *node;
}

void Step::fail(std::string what) {
    if (world.broken.empty()) {
        world.broken = std::move(what);
    }
}

void Step::execute(std::size_t index, const lease::Effects& effects, Answers answers) {
    for (const lease::Effect& effect : effects) {
        if (const auto* save = std::get_if<lease::SaveDurable>(&effect)) {
            change(index).disk = save->durable;
        } else if (const auto* deadline = std::get_if<lease::SetDeadline>(&effect)) {
            open(index, deadline->deadline);
        } else if (const auto* grant = std::get_if<lease::Granted>(&effect)) {
            granted(*grant);
        } else if (const auto* message = std::get_if<lease::Send>(&effect)) {
            send(index, *message, answers);
        } else if (const auto* fenced = std::get_if<lease::RunOut>(&effect)) {
            world.run_out |= static_cast<std::uint8_t>(1U << index_of(fenced->victim));
        }
    }
}

void Step::open(std::size_t index, TimePoint deadline) {
    Node& node = change(index);
    node.gate = deadline;
    node.gate_epoch = node.engine.holder().epoch();
    if (deadline == TimePoint{} || !run_.margins) {
        return;
    }
    if (world.told && node.gate_epoch == world.told->epoch && deadline > world.told->until) {
        fail(fmt::format("epoch {} speaks longer than its successor was told",
                         to_string(node.gate_epoch)));
    }
    if (node.gate_epoch >= world.served.epoch) {
        world.served = {node.gate_epoch, deadline};
    }
}

void Step::granted(const lease::Granted& granted) {
    if (!run_.margins) {
        return;
    }
    const Served& served = world.served;
    const lease::Margin& margin = granted.margin;
    world.told.reset();
    switch (margin.kind) {
        case lease::Margin::Kind::none:
            if (served.epoch != Epoch{}) {
                fail("a claimant was told that nobody spoke before");
            }
            break;
        case lease::Margin::Kind::bounded:
            if (margin.epoch != served.epoch || margin.until < served.deadline) {
                fail(fmt::format("a claimant was told too small a margin, of epoch {}",
                                 to_string(margin.epoch)));
            }
            world.told = margin;
            break;
        case lease::Margin::Kind::exact:
            if (margin.epoch != served.epoch) {
                fail("a claimant got the counters of another epoch than the last");
            }
            break;
        case lease::Margin::Kind::largest:
            break;
    }
}

void Step::send(std::size_t from, const lease::Send& send, Answers answers) {
    const lease::Sender sender = world.nodes[from]->self;
    const std::size_t to = index_of(send.to);
    const auto receivers = static_cast<std::uint8_t>(1U << to);
    const bool is_answer = std::holds_alternative<lease::Answer>(send.message);
    if (!is_answer && !std::holds_alternative<lease::Refusal>(send.message) &&
        !std::holds_alternative<lease::MarkAnswer>(send.message)) {
        fly(sender, receivers, send.message);
        return;
    }
    answered_ = answered_ || is_answer;
    const Answers becomes = is_answer ? answers : Answers::at_once;
    if (becomes == Answers::late) {
        fly(sender, receivers, send.message);
    } else if (becomes == Answers::at_once && world.nodes[to]->runs()) {
        deliver(to, Flying{sender, receivers, send.message}, answers);
    }
}

void Step::fly(const lease::Sender& sender, std::uint8_t to, const Message& message) {
    for (auto& flying : world.network) {
        if (flying->sender == sender && flying->message == message) {
            const auto receivers = static_cast<std::uint8_t>(flying->to | to);
            flying = std::make_shared<const Flying>(Flying{sender, receivers, message});
            return;
        }
    }
    world.network.push_back(std::make_shared<const Flying>(Flying{sender, to, message}));
}

void Step::deliver(std::size_t to, const Flying& flying, Answers answers) {
    Node& node = change(to);
    const lease::Effects effects = node.engine.on_message(flying.sender, flying.message, node.now);
    execute(to, effects, answers);
}

void Step::tick() {
    for (std::size_t i = 0; i < kNodes; ++i) {
        if (!world.nodes[i]->paused) {
            Node& node = change(i);
            node.now += Duration(run_.rates[i]);
            if (node.engine.holder().lapsed(node.now)) {
                // At its next event at the latest; what it says then may be late anyway.
                execute(i, node.engine.on_members(node.present, node.quorate, node.now),
                        Answers::at_once);
            }
        }
    }
}

void Step::restart(std::size_t index) {
    Node& node = change(index);
    ++node.self.instance.value;
    node.engine = lease::Engine(setup_of(run_, node.self), node.disk, node.now);
    node.present = kEverybody;
    node.quorate = true;
    static_cast<void>(node.engine.on_members(node.present, node.quorate, node.now));
}

void Step::prune() {
    // Rounds first: releases wait for them.
    for (const bool rounds : {true, false}) {
        std::vector<std::shared_ptr<const Flying>> left;
        for (const auto& flying : world.network) {
            if (std::holds_alternative<lease::Round>(flying->message) != rounds ||
                !counts_no_more(*flying, world)) {
                left.push_back(flying);
            }
        }
        world.network = std::move(left);
    }
}

void Step::finish() {
    prune();
    for (const auto& node : world.nodes) {
        if (node->speaks()) {
            world.top = std::max(world.top, node->gate_epoch);
        }
    }
    world.overlap = false;
    for (std::size_t i = 0; i < kNodes; ++i) {
        const Node& node = *world.nodes[i];
        if (!node.speaks()) {
            continue;
        }
        const bool another =
            std::any_of(world.nodes.begin(), world.nodes.end(),
                        [&](const auto& other) { return other.get() != &node && other->speaks(); });
        const bool is_stale = node.gate_epoch < world.top;
        const bool is_fenced = (world.run_out >> i & 1) != 0;
        if (node.just_thawed() && (is_stale || is_fenced)) {
            world.overlap = world.overlap || another;
        } else if (another && is_stale) {
            fail("two deadlines lie ahead");
        } else if (is_stale) {
            fail("an epoch is valid after a higher one was");
        } else if (is_fenced) {
            fail("a fenced node has its deadline ahead");
        } else if (another &&
                   std::any_of(world.nodes.begin(), world.nodes.end(), [&](const auto& other) {
                       return other.get() != &node && other->speaks() &&
                              other->gate_epoch == node.gate_epoch;
                   })) {
            fail("two deadlines of one epoch lie ahead");
        }
    }
}

namespace {

// That node hears all that was sent.
void receive_all(Step& step, std::size_t by) {
    const auto sent = step.world.network;
    for (const auto& flying : sent) {
        step.deliver(by, *flying, Answers::at_once);
    }
}

// Node 1 claims with node 2's vote.
World held(const Run& run, const World& world) {
    Step step(run, world);
    Node& claimant = step.change(0);
    step.execute(0, claimant.engine.promote(claimant.now), Answers::lost);
    receive_all(step, 1);
    step.finish();
    return step.world;
}

// Node 3 claims with node 2's vote, and is paused; the others' daemons start anew.
World stale_pause(const Run& run, const World& world) {
    Step step(run, world);
    Node& claimant = step.change(2);
    step.execute(2, claimant.engine.promote(claimant.now), Answers::lost);
    receive_all(step, 1);
    step.change(2).paused = true;
    step.restart(0);
    step.restart(1);
    step.finish();
    return step.world;
}

// Node 1 claims with node 2's vote, and is heard no more; node 2 fences it with node 3.
World fenced(const Run& run, const World& world) {
    Step step(run, world);
    Node& victim = step.change(0);
    step.execute(0, victim.engine.promote(victim.now), Answers::lost);
    receive_all(step, 1);
    step.world.network.clear();
    const lease::BootId boot = world.nodes[0]->self.boot;
    while (step.world.run_out == 0) {
        Node& node = step.change(1);
        const auto effects = node.engine.fence(NodeId{1}, boot, node.now);
        step.execute(1, effects.value_or(lease::Effects{}), Answers::at_once);
        receive_all(step, 2);
        step.world.network.clear();
        step.tick();
    }
    step.finish();
    return step.world;
}

}  // namespace

World first_world(const Run& run) {
    World world;
    world.left = run.bounds;
    const lease::Timing timing = timing_of(run);
    const TimePoint started{Duration(1000)};
    const TimePoint now = started + timing.abstention();
    for (std::size_t i = 0; i < kNodes; ++i) {
        world.nodes[i] = std::make_shared<Node>(new_node(run, i, started, now));
    }
    switch (run.start) {
        case Start::idle:
            return world;
        case Start::held:
            return held(run, world);
        case Start::stale_pause:
            return stale_pause(run, world);
        case Start::fenced:
            return fenced(run, world);
    }
    return world;
}

}  // namespace vpnha::checker
