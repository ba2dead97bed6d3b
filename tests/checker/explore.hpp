// SPDX-License-Identifier: GPL-2.0-or-later
// Visits every world that a run can reach, until none is left or an invariant does not hold. A
// visited world is remembered by its key's 128 bits only (prints.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker/moves.hpp"

namespace vpnha::checker {

struct Found {
    std::uint64_t states = 0;
    std::uint64_t overlaps = 0;  // Of them, with two deadlines ahead within L of a thaw.
    std::uint64_t served = 0;    // Of them, with a deadline ahead: nothing is proven about silence.
    std::uint64_t depth = 0;     // Moves of the longest way that was gone.
    bool exhausted = true;       // Otherwise a limit ended it.
    std::string broken;          // Which invariant; empty: they held.
    std::vector<std::string> moves;  // How to get there.
};

// Deepest first needs little memory, nearest first finds the shortest way.
enum class Order : std::uint8_t { deepest_first, nearest_first };

struct Limits {
    std::uint64_t states = 80'000'000;  // 45 octets each, and as much again while the table grows.
    std::uint64_t seconds = 900;        // Of a processor.
};

[[nodiscard]] Found explore(const Run& run, Order order, const Limits& limits);

}  // namespace vpnha::checker
