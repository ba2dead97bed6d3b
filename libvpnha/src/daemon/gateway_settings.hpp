// SPDX-License-Identifier: GPL-2.0-or-later
// Converts the configuration of a gateway for the node core.
#pragma once

#include <vector>

#include "cluster/gateway/gateway_node.hpp"
#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// Without the lease's settings.
[[nodiscard]] node::GatewaySettings gateway_settings_of(const config::Gateway& gateway,
                                                        const config::Radius& radius);

// Of this life of this vpnhad.
[[nodiscard]] Result<lease::Setup> lease_setup_of(const config::Config& config,
                                                  const std::vector<adapters::ClusterNode>& nodes,
                                                  NodeId self);

}  // namespace vpnha::runtime
