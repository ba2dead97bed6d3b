// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold of questions, and of holders that yield.
#include <algorithm>

#include "checker/world.hpp"

namespace vpnha::checker {

void Step::check_inquiry(std::size_t to, const lease::Engine& before) {
    const lease::Engine& after = world.nodes[to]->engine;
    const bool claims = after.holder().epoch() != before.holder().epoch();
    if (claims) {
        world.beyond = world.left.claims == 0;
        world.left.claims = static_cast<std::uint8_t>(world.left.claims - (world.beyond ? 0 : 1));
    }
    const auto agreed = [](const lease::Engine& engine) {
        return engine.state().inquiry && engine.state().inquiry->agreed;
    };
    // Of a node that stood still nobody knows what it takes for true when it goes on.
    const bool stood_still = run_.bounds.pauses > 0 || run_.start == Start::stale_pause;
    if (!stood_still && (claims || (agreed(after) && !agreed(before))) &&
        std::any_of(world.nodes.begin(), world.nodes.end(),
                    [](const auto& node) { return node->speaks(); })) {
        fail("a majority would answer a claim, and a deadline lies ahead");
    }
}

void Step::check_question(std::size_t to, const lease::Engine& before) {
    const lease::Engine& after = world.nodes[to]->engine;
    if (!(after.voter() == before.voter()) || !(after.holder() == before.holder())) {
        fail("a question has changed what a voter does");
    }
}

void Step::check_yielding(std::size_t to, const lease::Engine& before, const lease::Round& round) {
    const lease::Engine::State& was = before.state();
    const auto& handing = world.nodes[to]->engine.state().handing;
    if (before.holder().phase() == lease::Phase::holding && handing != was.handing &&
        handing->claim == round.id.epoch &&
        (!was.yields || was.yields_not_to == round.id.epoch.node)) {
        fail("a holder hands over to a claim that it does not yield to");
    }
}

}  // namespace vpnha::checker
