// SPDX-License-Identifier: GPL-2.0-or-later
// A planned move of a gateway's role: docs/reference/control-protocol.md has the shape.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "cluster/node/node.hpp"

namespace vpnha::runtime {

// Before it: `possible`, `asked`, or `moving`, in which the sessions are not counted again.
[[nodiscard]] nlohmann::json move_view(const node::GatewayNode& gateway, const node::MovePlan& plan,
                                       std::string_view state);
// The role has left `epoch`.
[[nodiscard]] nlohmann::json moved_view(const node::GatewayNode& gateway, const std::string& epoch);

}  // namespace vpnha::runtime
