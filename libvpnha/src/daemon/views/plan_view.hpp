// SPDX-License-Identifier: GPL-2.0-or-later
// The fate of the sessions if a node died now:
// docs/reference/control-protocol.md has the shape.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "cluster/node/node.hpp"

namespace vpnha::runtime {

// A member by its name or its id; nothing for an empty text.
[[nodiscard]] Result<std::optional<NodeId>> parse_member(const node::Node& node,
                                                         const std::string& text);

// Of one gateway or of all, without that node or, when none is given, without the promoted one.
[[nodiscard]] nlohmann::json plan_view(const node::Node& node, std::optional<GatewayId> only,
                                       std::optional<NodeId> without);

}  // namespace vpnha::runtime
