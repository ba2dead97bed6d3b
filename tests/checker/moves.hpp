// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that can happen next in a world, within the bounds of a run.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "checker/world.hpp"

namespace vpnha::checker {

struct Move {
    std::string_view what;
    std::optional<std::size_t> subject{};  // A node.
    std::optional<std::size_t> object{};   // Another node, or a message of the network.
    bool is_message = false;
};

using Visit = std::function<void(World&&, const Move&)>;

void for_each_move(const Run& run, const World& world, const Visit& visit);

// For a human; `before`: where the move was made.
[[nodiscard]] std::string describe(const World& before, const Move& move);

}  // namespace vpnha::checker
