// SPDX-License-Identifier: GPL-2.0-or-later
// The commands, of the system and of the cluster, that make a drill's fault and undo it. Pure. All
// faults are in the kernel's memory: a node that dies with one boots without it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/drill/facts.hpp"

namespace vpnha::cli::drill {

struct Command {
    std::vector<std::string> words;  // The program's path first.
    std::chrono::seconds timeout{30};
    int also_good = 0;  // An exit code beside 0 that counts as success.
};

struct Plan {
    std::string fault;              // For a human.
    std::vector<Command> strike;    // The first one that fails ends the strike.
    std::vector<Command> undo;      // All of them, even if one fails; may run twice.
    std::vector<std::string> left;  // What remains to be undone by hand, for a human.
};

[[nodiscard]] Plan plan_of(const Order& order, const Facts& facts);

// "ip link set dev eth1 up": what to type after an undo has failed.
[[nodiscard]] std::string text_of(const Command& command);

}  // namespace vpnha::cli::drill
