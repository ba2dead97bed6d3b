// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the nodes of corosync.conf have call ids of PPTP of their own
// (protocols/pptp/model/call_shares.hpp).
#pragma once

#include <string>
#include <vector>

#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// For a human, by name: the nodes that would give out the same ones. Empty: none would.
[[nodiscard]] std::vector<std::string> shared_call_ids(
    const std::vector<adapters::ClusterNode>& nodes);

}  // namespace vpnha::runtime
