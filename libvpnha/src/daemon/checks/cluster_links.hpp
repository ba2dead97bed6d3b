// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the cluster survives the loss of one of several links between the nodes, as text for the
// operator.
#pragma once

#include <string>
#include <vector>

#include "host/corosync/cluster_map.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// `link_mode` as ClusterMap::link_mode() returns it; `nodes` as ClusterMap::nodes() returns them.
[[nodiscard]] ClusterLinksCheck check_links(const std::string& link_mode,
                                            const std::vector<adapters::ClusterNode>& nodes);

}  // namespace vpnha::runtime
