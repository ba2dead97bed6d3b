// SPDX-License-Identifier: GPL-2.0-or-later
// The nodes of corosync.conf as voters of the lease.
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
// Why so many cannot all vote, and the remedy, as text for a human.
[[nodiscard]] std::string too_many_voters(std::size_t nodes);
[[nodiscard]] std::string host_name();
// Pacemaker's name of this node, whose host name is `host`.
[[nodiscard]] std::string own_name(const std::vector<adapters::ClusterNode>& nodes, NodeId self,
                                   const std::string& host);
// The nodes that Corosync lists, and voters that it no longer lists; ascending. The latter are as
// in `before`, or have an id only.
[[nodiscard]] std::vector<adapters::ClusterNode> with_removed_voters(
    std::vector<adapters::ClusterNode> listed, const std::vector<adapters::ClusterNode>& before,
    const std::vector<NodeId>& voters);
using Names = std::map<NodeId, std::string>;
// The node's name, or, if corosync.conf has none, the one that its vpnhad announced; empty:
// neither.
[[nodiscard]] std::string name_of(const adapters::ClusterNode& node, const Names& announced);
// By that name or its id. None, when two nodes without a name have announced the same one.
[[nodiscard]] std::optional<NodeId> find_node(const std::vector<adapters::ClusterNode>& nodes,
                                              const std::string& name, const Names& announced);
// The key that all nodes share, which authenticates their messages about the lease. Error
// invalid_config: there is no such file, or corosync would not accept its content as a key.
[[nodiscard]] Result<adapters::SecretFile> cluster_key_of(const std::string& file);
[[nodiscard]] lease::Timing timing_of(const config::Config& config);

}  // namespace vpnha::runtime
