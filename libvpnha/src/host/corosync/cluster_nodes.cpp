// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/cluster_nodes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vpnha::runtime {

namespace {

// The least size that corosync accepts for its key.
constexpr std::size_t kKeyOctetsMin = 128;

}  // namespace

std::string too_many_voters(std::size_t nodes) {
    return fmt::format(
        "corosync.conf lists {} nodes, and a lease has at most {} voters: the voters stay those "
        "from before, and vpnhad does not start again on any node; take nodes out of corosync.conf",
        nodes, lease::kVotersMax);
}

Result<std::vector<NodeId>> voters_of(const std::vector<adapters::ClusterNode>& nodes,
                                      const config::Witness& witness) {
    std::vector<NodeId> voters;
    voters.reserve(nodes.size());
    for (const adapters::ClusterNode& node : nodes) {
        voters.push_back(node.id);
    }
    if (const auto kept = std::find_if(voters.begin(), voters.end(), lease::is_witness);
        kept != voters.end()) {
        return fail(Errc::invalid_config,
                    fmt::format("corosync.conf has a node with the id {}; the ids from {} to {} "
                                "are kept for witnesses",
                                kept->value, lease::kWitness.value, lease::kWitnessLast.value));
    }
    if (!is_sound(lease::VoterList{{}, voters})) {
        return fail(Errc::invalid_config,
                    voters.size() > lease::kVotersMax
                        ? too_many_voters(voters.size())
                        : fmt::format("corosync.conf lists {} nodes; a lease has 1 to {} voters, "
                                      "each with an id of its own above 0",
                                      voters.size(), lease::kVotersMax));
    }
    if (witness.addresses.empty()) {
        return voters;
    }
    if (voters.size() != lease::kNodesBesideWitness) {
        return fail(Errc::invalid_config,
                    fmt::format("vpnha.toml names the witness '{}', which is a third vote beside "
                                "two nodes, and corosync.conf lists {}: leave 'witness' and "
                                "'witness_name' out of [lease]",
                                witness.name, voters.size()));
    }
    voters.push_back(lease::kWitness);
    return voters;
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string own_name(const std::vector<adapters::ClusterNode>& nodes, NodeId self,
                     const std::string& host) {
    const auto own = std::find_if(nodes.begin(), nodes.end(),
                                  [self](const auto& node) { return node.id == self; });
    return own == nodes.end() || own->name.empty() ? host : own->name;
}

std::vector<adapters::ClusterNode> with_removed_voters(
    std::vector<adapters::ClusterNode> listed, const std::vector<adapters::ClusterNode>& before,
    const std::vector<NodeId>& voters) {
    const auto find = [](const std::vector<adapters::ClusterNode>& nodes, NodeId id) {
        return std::find_if(nodes.begin(), nodes.end(),
                            [id](const adapters::ClusterNode& node) { return node.id == id; });
    };
    for (const NodeId voter : voters) {
        if (find(listed, voter) == listed.end() && !lease::is_witness(voter)) {
            const auto was = find(before, voter);
            listed.push_back(was == before.end() ? adapters::ClusterNode{voter, {}, ""} : *was);
        }
    }
    std::sort(listed.begin(), listed.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return listed;
}

std::string name_of(const adapters::ClusterNode& node, const Names& announced) {
    const auto entry = announced.find(node.id);
    return node.name.empty() && entry != announced.end() ? entry->second : node.name;
}

std::optional<NodeId> find_node(const std::vector<adapters::ClusterNode>& nodes,
                                const std::string& name, const Names& announced) {
    if (name.empty()) {
        return std::nullopt;
    }
    for (const adapters::ClusterNode& node : nodes) {
        if (name == node.name || name == std::to_string(node.id.value)) {
            return node.id;
        }
    }
    std::optional<NodeId> found;
    for (const adapters::ClusterNode& node : nodes) {
        if (name == name_of(node, announced)) {
            if (found) {
                return std::nullopt;
            }
            found = node.id;
        }
    }
    return found;
}

Result<adapters::SecretFile> cluster_key_of(const std::string& file) {
    VPNHA_TRY(auto key, adapters::SecretFile::read(file));
    if (key && key->content().size() >= kKeyOctetsMin) {
        return std::move(*key);
    }
    return fail(
        Errc::invalid_config,
        fmt::format("{} {}, and without the cluster's key whoever reaches a node could vote on "
                    "its leases; run corosync-keygen and copy /etc/corosync/authkey to all nodes. "
                    "A key within corosync.conf (totem.key) is not read: move it to a file that "
                    "totem.keyfile names. That corosync does not encrypt changes nothing here",
                    file, key ? "is too short to be a key" : "is not there"));
}

lease::Timing timing_of(const config::Config& config) {
    const Duration lease = config.lease_duration ? *config.lease_duration : lease::Timing().lease;
    lease::Timing timing = lease::Timing().sized(lease);
    if (config.lease_duration) {
        timing.renew = config.lease_renew;
    }
    timing.rate_ppm = config.clock_rate_ppm;
    timing.grain = config.clock_grain;
    return timing;
}

}  // namespace vpnha::runtime
