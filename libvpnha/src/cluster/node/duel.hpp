// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes beside a witness have lost each other, and Pacemaker has each fence the other one:
// decides which of them asks for marks first. The first one gets them (cluster/lease/engine.hpp,
// 21), so the node that serves is to ask first. Pure.
//
//   this node \ the other one           | a voter answers it, or may | no voter answers it
//   ------------------------------------+----------------------------+--------------------
//   serves more gateways, or as many    | asks at once               | asks at once
//   and has the lower id                |                            |
//   otherwise                           | asks 5 s after the loss    | asks at once
//
// A node whose Corosync hangs holds its lease and fences nobody. So no node is safe for ever.
#pragma once

#include <cstddef>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::node {

struct Duel {
    NodeId self;
    NodeId other;
    std::size_t own = 0;     // Leases that this node holds.
    std::size_t theirs = 0;  // Gateways that the other one served, by its last group message.
    bool is_answered = true;
    TimePoint lost_at{};
};

// When this node asks; {}: at once. `patience`: Timing::absence.
[[nodiscard]] TimePoint asks_for_marks_at(const Duel& duel, Duration patience);

}  // namespace vpnha::node
