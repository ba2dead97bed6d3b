// SPDX-License-Identifier: GPL-2.0-or-later
// What a drill does, and how that is undone: commands of the system and of the cluster. Pure. All
// faults are in the kernel's memory: a node that dies with one comes back without it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/drill/facts.hpp"

namespace vpnha::cli::drill {

struct Command {
    std::vector<std::string> words;  // The program's path first.
    std::chrono::seconds timeout{30};
    int also_good = 0;  // An exit code beside 0 with which its work is done.
};

struct Plan {
    std::string fault;              // For a human.
    std::vector<Command> strike;    // The first that fails ends it.
    std::vector<Command> undo;      // All of them, whichever fails; it may be done twice.
    std::vector<std::string> left;  // What nobody undoes, for a human.
};

[[nodiscard]] Plan plan_of(const Order& order, const Facts& facts);

// "ip link set dev eth1 up": what to type where an undo has failed.
[[nodiscard]] std::string text_of(const Command& command);

}  // namespace vpnha::cli::drill
