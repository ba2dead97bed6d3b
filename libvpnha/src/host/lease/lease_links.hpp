// SPDX-License-Identifier: GPL-2.0-or-later
// The lease's datagrams (cluster/lease/datagram.hpp) over UDP, on every link of the cluster at
// once: one socket for each, bound to this node's address there, so that one link's failure is no
// business of the others. A link has its number in corosync.conf on all nodes. What arrives is
// checked for its source, its key, its length and its age (cluster/lease/replay_guard.hpp) before
// it is passed on. What comes from no other node's address costs no more than its reading. A
// witness is on no link of the cluster, and has a way of its own (witness_link.hpp).
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
    // Of a name of several: Corosync's choice, which lasts as long as Corosync runs.
    NameAddress name_address = NameAddress::ipv6_first;
    std::vector<NodeId> voters;    // As set_voters() takes them.
    std::string_view cluster_key;  // Read during open() only.
    std::vector<GatewayId> gateways;
    WitnessOptions witness{};  // Without addresses there is none.
};

class LeaseLinks final : public ports::LeaseLinks {
  public:
    using OnMessage = std::function<void(GatewayId, const lease::Sender&, const lease::Message&)>;
    // That node's kernel has answered ask_for_echo().
    using OnEcho = EchoSockets::OnEcho;

    // Says hello to all nodes.
    [[nodiscard]] static Result<std::unique_ptr<LeaseLinks>> open(QbLoop& loop,
                                                                  const LeaseLinksOptions& options,
                                                                  OnMessage on_message,
                                                                  OnEcho on_echo);
    ~LeaseLinks() override;
    LeaseLinks(const LeaseLinks&) = delete;
    LeaseLinks& operator=(const LeaseLinks&) = delete;

    void send(GatewayId gateway, NodeId to, const lease::Message& message) override;
    void ask_for_echo(NodeId node) override;
    // Corosync's list of nodes has changed, or their addresses, this node's among them. Names are
    // resolved beside the loop, which renews leases meanwhile: `done` is called then, or within
    // this call where all addresses are numbers; not, if another list came meanwhile. Error: one of
    // them cannot be resolved, or not be bound, or a link has IPv4 at one node and IPv6 at another;
    // then nothing has changed here. A voter that `nodes`
    // lacks keeps its last addresses.
    void set_nodes(const std::vector<ClusterNode>& nodes, Background::Done done);
    // This node may have started since Corosync listed a voter: then that node's addresses are
    // those that it sends from.
    void set_voters(const std::vector<NodeId>& voters) override;
    // Those of and to the witness among them.
    [[nodiscard]] LeaseCounters counters() const;

  private:
    struct State;
    explicit LeaseLinks(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// This life of the node: the kernel's boot_id.
[[nodiscard]] Result<lease::BootId> read_boot_id();

}  // namespace vpnha::adapters
