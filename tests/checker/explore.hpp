// SPDX-License-Identifier: GPL-2.0-or-later
// Visits every world that a run can reach, nearest first, until none is left or an invariant does
// not hold. A visited world is remembered by 128 bits of its key.
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
    bool exhausted = true;       // Otherwise `states_max` ended it.
    std::string broken;          // Which invariant; empty: they held.
    std::vector<std::string> moves;  // How to get there.
};

[[nodiscard]] Found explore(const Run& run, std::uint64_t states_max);

}  // namespace vpnha::checker
