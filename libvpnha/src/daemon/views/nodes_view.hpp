// SPDX-License-Identifier: GPL-2.0-or-later
// This node's knowledge of the nodes of corosync.conf, for fence_vpnha:
// docs/reference/control-protocol.md has the shape.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "cluster/node/node.hpp"
#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

[[nodiscard]] nlohmann::json nodes_view(const node::Node& node,
                                        const std::vector<adapters::ClusterNode>& nodes,
                                        TimePoint now);

}  // namespace vpnha::runtime
