// SPDX-License-Identifier: GPL-2.0-or-later
// What the configuration says of a gateway, as the node core takes it.
#pragma once

#include <vector>

#include "cluster/gateway/gateway_node.hpp"
#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// Without what the lease needs.
[[nodiscard]] node::GatewaySettings gateway_settings_of(const config::Gateway& gateway,
                                                        const config::Radius& radius);

// Of this life of this vpnhad.
[[nodiscard]] Result<lease::Setup> lease_setup_of(const config::Config& config,
                                                  const std::vector<adapters::ClusterNode>& nodes,
                                                  NodeId self);

}  // namespace vpnha::runtime
