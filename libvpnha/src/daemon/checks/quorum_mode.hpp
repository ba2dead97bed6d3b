// SPDX-License-Identifier: GPL-2.0-or-later
// The effect of Corosync's quorum on the leases, as text for the operator:
// docs/explain/failure-model.md has the whole table.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

struct QuorumMode {
    std::string name;        // "3 voters", "2 voters and a quorum device".
    std::string after_loss;  // What is needed when one node is lost.
    std::string warning;     // A limit that the operator may not expect; or empty.
};

// The nodes of corosync.conf, as ClusterMap::nodes() returns them, as voters.
[[nodiscard]] VotersCheck check_voters(const adapters::QuorumKeys& keys,
                                       const std::vector<adapters::ClusterNode>& nodes,
                                       const config::Witness& witness);
// `nodes`: of corosync.conf, whatever votes it gives them.
[[nodiscard]] QuorumMode quorum_mode_of(const adapters::QuorumKeys& keys, std::size_t nodes,
                                        const config::Witness& witness);
// As corosync.conf has it now.
[[nodiscard]] QuorumMode quorum_mode_of(const adapters::ClusterMap& map,
                                        const config::Witness& witness);
void log_quorum_mode(const adapters::ClusterMap& map, const config::Witness& witness);

}  // namespace vpnha::runtime
