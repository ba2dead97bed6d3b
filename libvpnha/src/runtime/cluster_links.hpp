// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the cluster survives the loss of one of several links between the nodes, in words for the
// operator.
#pragma once

#include <string>
#include <vector>

#include "adapters/cluster_map.hpp"

namespace vpnha::runtime {

struct ClusterLinks {
    bool is_warning = false;
    std::string text;  // How many links, and how knet uses them; of a warning what to set, and why.
};

// `link_mode` as ClusterMap::link_mode() returns it; `nodes` as ClusterMap::nodes() returns them.
[[nodiscard]] ClusterLinks cluster_links_of(const std::string& link_mode,
                                            const std::vector<adapters::ClusterNode>& nodes);

}  // namespace vpnha::runtime
