// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which a node's effects take place: one for the daemon and the simulator.
#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "node/effects.hpp"

namespace vpnha::node {

// Puts what an effect leads to before what was behind it: a transition runs to its end. Messages to
// the group keep the order in which the node made them: an older hello behind a newer one would be
// the last word about this node.
inline void put_first(Effects&& more, std::deque<Effect>& queue) {
    const auto is_message = [](const Effect& effect) {
        return std::holds_alternative<SendToGroup>(effect);
    };
    const auto first = std::find_if(more.begin(), more.end(), is_message);
    if (first != more.end()) {
        const auto behind = std::stable_partition(queue.begin(), queue.end(), is_message);
        more.insert(first, std::make_move_iterator(queue.begin()), std::make_move_iterator(behind));
        queue.erase(queue.begin(), behind);
    }
    queue.insert(queue.begin(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

// `execute` takes each effect and returns what follows from it, at once. As soon as `is_over`
// returns true nothing more is done.
template <class Execute, class IsOver>
void run_effects(Effects effects, const Execute& execute, const IsOver& is_over) {
    std::deque<Effect> queue(std::make_move_iterator(effects.begin()),
                             std::make_move_iterator(effects.end()));
    while (!queue.empty() && !is_over()) {
        Effect effect = std::move(queue.front());
        queue.pop_front();
        put_first(execute(effect), queue);
    }
}

}  // namespace vpnha::node
