// SPDX-License-Identifier: GPL-2.0-or-later
// The node's state as the control socket shows it: docs/control-protocol.md has the shapes.
#pragma once

#include <nlohmann/json.hpp>

#include "node/node.hpp"
#include "ports/gate.hpp"

namespace vpnha::runtime {

[[nodiscard]] nlohmann::json status_view(const node::Node& node, const ports::Gate& gate);
// Of one gateway, or of all when `gateway` is empty.
[[nodiscard]] nlohmann::json sessions_view(const node::Node& node, const std::string& gateway);
[[nodiscard]] nlohmann::json peers_view(const node::Node& node);

}  // namespace vpnha::runtime
