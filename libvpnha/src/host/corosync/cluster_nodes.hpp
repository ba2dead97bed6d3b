// SPDX-License-Identifier: GPL-2.0-or-later
// What the nodes of corosync.conf are to the lease.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/lease/engine.hpp"
#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/secrets/secret_file.hpp"

namespace vpnha::runtime {

// All of them, and the witness if there is one; ascending. Error invalid_config: there are more, or
// fewer, than a lease can have, or than a witness can be beside.
[[nodiscard]] Result<std::vector<NodeId>> voters_of(const std::vector<adapters::ClusterNode>& nodes,
                                                    const config::Witness& witness);
// Why so many cannot all vote, and what to do, for a human.
[[nodiscard]] std::string too_many_voters(std::size_t nodes);
[[nodiscard]] std::string host_name();
// What Pacemaker calls this node, whose host name is `host`.
[[nodiscard]] std::string own_name(const std::vector<adapters::ClusterNode>& nodes, NodeId self,
                                   const std::string& host);
// The nodes that Corosync lists, and voters that it lists no more; ascending. Those are as in
// `before`, or have an id only.
[[nodiscard]] std::vector<adapters::ClusterNode> with_removed_voters(
    std::vector<adapters::ClusterNode> listed, const std::vector<adapters::ClusterNode>& before,
    const std::vector<NodeId>& voters);
using Names = std::map<NodeId, std::string>;
// The node's name, or, if corosync.conf has none, the one that its vpnhad announced; empty:
// neither.
[[nodiscard]] std::string name_of(const adapters::ClusterNode& node, const Names& announced);
// By that name or its id. Nobody, when two nodes without a name have announced the same one.
[[nodiscard]] std::optional<NodeId> find_node(const std::vector<adapters::ClusterNode>& nodes,
                                              const std::string& name, const Names& announced);
// The key that all nodes share, by which they know each other's words on the lease. Error
// invalid_config: there is no such file, or nothing in it that corosync would take for a key.
[[nodiscard]] Result<adapters::SecretFile> cluster_key_of(const std::string& file);
[[nodiscard]] lease::Timing timing_of(const config::Config& config);

}  // namespace vpnha::runtime
