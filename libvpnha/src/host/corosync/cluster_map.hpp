// SPDX-License-Identifier: GPL-2.0-or-later
// Corosync's own configuration (cmap): whether knet encrypts the nodes' messages, the file of the
// cluster's key, and the nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "host/os/fd_watch.hpp"

namespace vpnha::adapters {

// The decisive keys totem.*; empty when a key is not set.
struct TotemKeys {
    std::string transport;
    std::string secauth;
    std::string crypto_cipher;
};
// Why nothing is encrypted, as text that names the key; empty when it is.
[[nodiscard]] std::string unencrypted_because(const TotemKeys& keys);

// The address that Corosync selects for a name, by totem.ip_version (corosync.conf(5)): of the
// first family if there is one, or of the other one, or of one family alone.
enum class NameAddress : std::uint8_t { ipv4, ipv6, ipv4_first, ipv6_first };
// By the keys totem.ip_version and totem.transport; empty when one is not set. Other values count
// as not set, as in Corosync (exec/totemconfig.c, totem_config_get_ip_version()).
[[nodiscard]] NameAddress name_address(std::string_view ip_version, std::string_view transport);

// The keys quorum.* that decide which side is quorate when nodes are lost.
struct QuorumKeys {
    bool two_node = false;
    bool wait_for_all = false;  // Set, or implied by two_node.
    bool last_man_standing = false;
    bool auto_tie_breaker = false;
    std::string device;  // The model of the quorum device; empty when the cluster has none.
    friend bool operator==(const QuorumKeys&, const QuorumKeys&) = default;
};

// A node of corosync.conf, with its addresses on the cluster's links by their numbers: ring0_addr,
// ring1_addr … A link that it is not on, between others, is empty.
struct ClusterNode {
    NodeId id;
    std::vector<std::string> links;
    std::string name;  // By node_name().
    friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
};
// A node's name in Pacemaker, by these keys of corosync.conf; empty: its host name.
[[nodiscard]] std::string node_name(const std::string& name, const std::string& ring0_addr);

class ClusterMap {
  public:
    struct Listener {
        std::function<void()> on_change;  // One of totem's keys was written.
        std::function<void()> on_nodes;   // The list of nodes was written.
        std::function<void()> on_lost;    // Corosync is gone. Called once.
    };
    // Unreachable: corosync does not run.
    static Result<std::unique_ptr<ClusterMap>> open(FdWatch& loop, Listener listener);
    ~ClusterMap();
    ClusterMap(const ClusterMap&) = delete;
    ClusterMap& operator=(const ClusterMap&) = delete;

    [[nodiscard]] TotemKeys totem() const;
    // totem.cluster_name; may be empty.
    [[nodiscard]] std::string cluster_name() const;
    // The file of the key that all nodes share.
    [[nodiscard]] std::string key_file() const;
    [[nodiscard]] NameAddress name_address() const;
    // How knet uses several links: "passive" (Corosync's default), "active" or "rr".
    [[nodiscard]] std::string link_mode() const;
    [[nodiscard]] QuorumKeys quorum() const;
    // Ascending.
    [[nodiscard]] std::vector<ClusterNode> nodes() const;
    // This node's id. Unreachable: corosync does not know it yet.
    [[nodiscard]] Result<NodeId> self() const;

  private:
    struct State;
    explicit ClusterMap(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
