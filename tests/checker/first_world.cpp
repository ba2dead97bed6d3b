// SPDX-License-Identifier: GPL-2.0-or-later
// What a run begins with.
#include "checker/world.hpp"

namespace vpnha::checker {

namespace {

Node new_node(const Run& run, std::size_t index, TimePoint started, TimePoint now) {
    lease::Sender self{id_of(run, index), {}, {1}};
    self.boot.octets.fill(static_cast<std::uint8_t>(index + 1));
    const lease::Setup setup = setup_of(run, self);
    const std::optional<lease::Durable> disk = first_disk(run, setup);
    Node node{lease::Engine(setup, std::nullopt, started),
              self,
              disk,
              now,
              {},
              {},
              {},
              kAll,
              true,
              false,
              false,
              {}};
    node.engine = engine_of(run, node, started);
    if (!node.is_witness()) {
        static_cast<void>(node.engine.on_members(members(kAll), true, now));
    }
    return node;
}

// That node hears all that was sent.
void receive_all(Step& step, std::size_t by) {
    const auto sent = step.world.network;
    for (const auto& flying : sent) {
        step.deliver(by, *flying, Answers::at_once);
    }
}

// Node 1 claims with the votes of the next nodes; in a new cluster with all of them.
World held(const Run& run, const World& world) {
    Step step(run, world);
    Node& claimant = step.change(0);
    step.execute(0, claimant.engine.promote(claimant.now), Answers::lost);
    const int votes = run.start == Start::edited ? run.voters - 1 : run.voters / 2;
    for (std::size_t voter = 1; voter <= static_cast<std::size_t>(votes); ++voter) {
        receive_all(step, voter);
    }
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
    const TimePoint started{Duration(1000)};
    const TimePoint now = started + timing_of(run, 0).abstention();
    for (std::size_t i = 0; i < static_cast<std::size_t>(run.nodes); ++i) {
        world.nodes.push_back(std::make_shared<Node>(new_node(run, i, started, now)));
    }
    switch (run.start) {
        case Start::idle:
        case Start::fresh:
        case Start::all_fresh:
            return world;
        case Start::held:
        case Start::edited:
            return held(run, world);
        case Start::stale_pause:
            return stale_pause(run, world);
        case Start::fenced:
            return fenced(run, world);
    }
    return world;
}

}  // namespace vpnha::checker
