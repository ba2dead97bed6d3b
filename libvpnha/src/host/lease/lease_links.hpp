// SPDX-License-Identifier: GPL-2.0-or-later
// The lease's datagrams (cluster/lease/datagram.hpp) over UDP, on every link of the cluster at
// once. Each link has a socket, bound to this node's address there, so one link's failure does not
// affect the others. A link has its number in corosync.conf on all nodes. An arriving datagram is
// checked for its source, its key, its length and its age (cluster/lease/replay_guard.hpp) before
// it is passed on. A datagram from another address costs only its reading. A witness is on no link
// of the cluster, and is reached separately (witness_link.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/lease/datagram.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/lease/echo_sockets.hpp"
#include "host/lease/lease_socket.hpp"
#include "host/lease/witness_link.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/lease_links.hpp"

namespace vpnha::adapters {

struct LeaseLinksOptions {
    lease::Sender self;
    std::uint16_t port = 0;
    std::vector<ClusterNode> nodes;  // This one among them.
    // Among several addresses of a name: Corosync's choice, which lasts as long as Corosync runs.
    NameAddress name_address = NameAddress::ipv6_first;
    std::vector<NodeId> voters;    // As for set_voters().
    std::string_view cluster_key;  // Read during open() only.
    std::vector<GatewayId> gateways;
    WitnessOptions witness{};  // Without addresses there is none.
};

class LeaseLinks final : public ports::LeaseLinks {
  public:
    using OnMessage = std::function<void(GatewayId, const lease::Sender&, const lease::Message&)>;
    // That node's kernel has answered ask_for_echo().
    using OnEcho = EchoSockets::OnEcho;

    // Sends Hello to all nodes.
    [[nodiscard]] static Result<std::unique_ptr<LeaseLinks>> open(QbLoop& loop,
                                                                  const LeaseLinksOptions& options,
                                                                  OnMessage on_message,
                                                                  OnEcho on_echo);
    ~LeaseLinks() override;
    LeaseLinks(const LeaseLinks&) = delete;
    LeaseLinks& operator=(const LeaseLinks&) = delete;

    void send(GatewayId gateway, NodeId to, const lease::Message& message) override;
    void ask_for_echo(NodeId node) override;
    // Corosync's list of nodes has changed, or their addresses, including this node's. Names are
    // resolved beside the loop, which renews leases meanwhile. `done` is called then, or within
    // this call if all addresses are numbers; not if another list came meanwhile. Error: a name
    // cannot be resolved, an address cannot be bound, or a link has IPv4 at one node and IPv6 at
    // another; then nothing has changed here. A voter that is not in `nodes` keeps its last
    // addresses.
    void set_nodes(const std::vector<ClusterNode>& nodes, Background::Done done);
    // This node may have started after Corosync listed a voter: then that node's addresses are the
    // sources of its datagrams.
    void set_voters(const std::vector<NodeId>& voters) override;
    // Including those from and to the witness.
    [[nodiscard]] LeaseCounters counters() const;

  private:
    struct State;
    explicit LeaseLinks(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// This life of the node: the kernel's boot_id.
[[nodiscard]] Result<lease::BootId> read_boot_id();

}  // namespace vpnha::adapters
