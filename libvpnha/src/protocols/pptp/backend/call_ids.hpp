// SPDX-License-Identifier: GPL-2.0-or-later
// Checks that the nodes of corosync.conf have separate call ids of PPTP
// (protocols/pptp/model/call_shares.hpp).
#pragma once

#include <string>
#include <vector>

#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// Names of nodes that would assign the same ids, as text for a human. Empty: there are none.
[[nodiscard]] std::vector<std::string> shared_call_ids(
    const std::vector<adapters::ClusterNode>& nodes);

}  // namespace vpnha::runtime
