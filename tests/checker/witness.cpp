// SPDX-License-Identifier: GPL-2.0-or-later
// A third voter that is a witness, or lies.
#include <algorithm>
#include <iterator>
#include <utility>

#include "checker/world.hpp"

namespace vpnha::checker {

lease::Engine engine_of(const Run& run, Node& node, TimePoint started) {
    const std::size_t index = index_of(node.self.node);
    if (run.third == Third::witness && index == kThird) {
        std::optional<lease::Witness::File> file;
        if (node.disk) {
            file = lease::Witness::File{*node.disk, node.ahead};
        }
        node.unsaved.clear();
        node.witness.emplace(node.self, timing_of(run, index), file, started);
        return node.witness->engine();
    }
    lease::Engine engine(setup_of(run, node.self), node.disk, started);
    engine.set_position(position_of(run, index));
    return engine;
}

lease::Effects Step::effects_of(Node& witness, lease::Witness::Orders&& orders) const {
    lease::Effects effects;
    const auto add = [&effects](std::vector<lease::Send>&& sends) {
        std::move(sends.begin(), sends.end(), std::back_inserter(effects));
    };
    add(std::move(orders.sends));
    for (lease::Witness::Save& save : orders.saves) {
        if (run_.slow_disk) {
            witness.unsaved.push_back(std::move(save));
            continue;
        }
        witness.disk = save.file.durable;
        witness.ahead = save.file.ahead;
        add(witness.witness->on_saved(save.ticket, true, witness.now).sends);
    }
    witness.engine = witness.witness->engine();
    return effects;
}

void Step::write(std::size_t index) {
    Node& node = change(index);
    const lease::Witness::Save save = node.unsaved.front();
    node.unsaved.erase(node.unsaved.begin());
    node.disk = save.file.durable;
    node.ahead = save.file.ahead;
    execute(index, effects_of(node, node.witness->on_saved(save.ticket, true, node.now)),
            Answers::at_once);
}

void Step::end_cleanly(std::size_t index) {
    Node& node = change(index);
    if (const auto file = node.witness->last_file()) {
        node.disk = file->durable;
        node.ahead = file->ahead;
    }
    restart(index);
}

void Step::check_lies() {
    if (run_.third != Third::liar) {
        return;
    }
    for (std::size_t i = 0; i < kThird; ++i) {
        const lease::Engine& engine = world.nodes[i]->engine;
        if (engine.state().fenced || !engine.voter().state().marks.empty()) {
            fail("a witness has a node fenced");
        }
        if (engine.remembers() && engine.state().voters.newest().nodes.size() != kThird + 1) {
            fail("a witness changes the list of voters");
        }
        if (engine.voter().ordered() != Epoch{} && run_.bounds.releases == 0) {
            fail("a witness names an order");
        }
    }
}

void Step::check_duel() {
    if (run_.third != Third::witness) {
        return;
    }
    constexpr std::uint8_t kBoth = (1U << kThird) - 1;
    const auto is_fenced = [](const auto& node) { return node->engine.state().fenced; };
    if ((world.run_out & kBoth) == kBoth) {
        fail("two nodes have had each other marked, and both have run out");
    } else if (std::all_of(world.nodes.begin(),
                           world.nodes.begin() + static_cast<std::ptrdiff_t>(kThird), is_fenced)) {
        fail("two nodes have had each other marked, and both are fenced");
    }
}

}  // namespace vpnha::checker
