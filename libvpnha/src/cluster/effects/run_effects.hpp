// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which a node's effects take place: one for the daemon and the simulator.
#pragma once

#include <deque>
#include <iterator>
#include <utility>

#include "cluster/effects/effects.hpp"

namespace vpnha::effects {

// In the order in which the node made them: what it says last of itself, of its gate and of its
// score is what holds. `execute` takes each effect and returns what follows from it. As soon as
// `is_over` returns true nothing more is done.
template <class Execute, class IsOver>
void run_effects(Effects effects, const Execute& execute, const IsOver& is_over) {
    std::deque<Effect> queue(std::make_move_iterator(effects.begin()),
                             std::make_move_iterator(effects.end()));
    while (!queue.empty() && !is_over()) {
        Effect effect = std::move(queue.front());
        queue.pop_front();
        Effects more = execute(effect);
        queue.insert(queue.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
    }
}

}  // namespace vpnha::effects
