// SPDX-License-Identifier: GPL-2.0-or-later
// A witness of all gateways of one cluster: its datagrams and its files, without a socket or a
// clock. Its key is derived from the cluster's (LeaseKey::of_witness()). An authentic datagram
// comes from a node, or is the witness's own that was sent back.
//
// It has no list of nodes or addresses. It sends only to nodes that have sent to it, and answers to
// the source of a node's newest datagram, so nodes may be behind NAT. A node sends Hello each
// second, and each Hello is answered: so the node knows that its messages arrive. The first
// datagram of a gateway creates that gateway's vote.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/lease/exchange.hpp"
#include "cluster/lease/witness.hpp"

namespace vpnha::lease {

class WitnessHost {
  public:
    // An address in the socket's format.
    using Address = std::string;
    struct Packet {
        Address to;
        Bytes bytes;
    };
    struct Save {
        GatewayId gateway;
        Witness::File file;
        std::uint64_t ticket = 0;
    };
    // The saves of one gateway one after the other; packets at once.
    struct Orders {
        std::vector<Save> saves;
        std::vector<Packet> packets;
    };
    struct Received {
        Address from;
        TimePoint at;
    };
    // Its own datagrams that were sent back count as malformed.
    using Counters = Exchange::Counters;

    // `self`: kWitness; its boot id and instance are random numbers of this start.
    WitnessHost(const Sender& self, const Timing& timing, const LeaseKey& key,
                const std::map<GatewayId, Witness::File>& files, TimePoint now);

    [[nodiscard]] Orders on_datagram(ByteView bytes, const Address& from, TimePoint now);
    // next_deadline() has come; harmless when it has not.
    [[nodiscard]] Orders on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // The result of that save, and of those of the gateway before it.
    [[nodiscard]] Orders on_saved(GatewayId gateway, std::uint64_t ticket, bool succeeded,
                                  TimePoint now);
    // To be saved last, by a clean end: nothing is sent after it.
    [[nodiscard]] std::map<GatewayId, Witness::File> last_files() const;

    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] const std::map<GatewayId, Witness>& votes() const { return votes_; }
    // The newest message of each node.
    [[nodiscard]] const std::map<NodeId, Received>& received() const { return received_; }

  private:
    // Accepts datagrams of the node; the node of longest ago is dropped.
    void admit(NodeId node);
    void take(GatewayId gateway, Witness::Orders&& from, Orders& orders);
    void emit(GatewayId gateway, const Address& to, const Message& message, Orders& orders);

    Sender self_;
    Timing timing_;
    Exchange exchange_;
    std::vector<NodeId> nodes_;            // The node with the newest message is last.
    std::map<NodeId, Received> received_;  // Those of them that have repeated a challenge.
    std::map<GatewayId, Witness> votes_;
    Counters counters_;
};

}  // namespace vpnha::lease
