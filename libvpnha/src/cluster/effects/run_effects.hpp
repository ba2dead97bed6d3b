// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which a node's effects are executed: one for the daemon and the simulator.
#pragma once

#include <deque>
#include <iterator>
#include <utility>

#include "cluster/effects/effects.hpp"

namespace vpnha::effects {

// In the order in which the node made them: the last effect on its gate, its score or its messages
// is the valid one. `execute` carries out each effect and returns the effects that follow. As soon
// as `is_over` returns true no more effects are executed.
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
