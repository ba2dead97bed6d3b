// SPDX-License-Identifier: GPL-2.0-or-later
// What a witness that lies may say to a node at any time: of each kind of message one that would do
// harm, if the node took from it more than its vote (engine.hpp, 16). It knows all that the nodes
// know. Each of its messages names a list of voters without the other node, and fences both.
#pragma once

#include <string_view>
#include <vector>

#include "checker/world.hpp"

namespace vpnha::checker {

struct Lie {
    std::string_view what;  // Of the node that hears it.
    lease::Message message;
};

[[nodiscard]] std::vector<Lie> lies_to(const Run& run, const World& world, std::size_t index);

}  // namespace vpnha::checker
