// SPDX-License-Identifier: GPL-2.0-or-later
// A witness of all gateways of one cluster: its datagrams and its files, without a socket or a
// clock. Its key is derived from the cluster's (LeaseKey::of_witness()): what is authentic comes
// from a node, or is a datagram of its own that somebody sends back.
//
// It has no list of nodes or addresses. It says nothing to who has not spoken, and answers where a
// node's newest datagram came from, so nodes may be behind NAT. A node says hello each second, and
// each Hello is answered: so the node knows that it is heard. The first datagram of a gateway makes
// that gateway's vote.
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
    // An address as the socket has it.
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
    struct Heard {
        Address from;
        TimePoint at;
    };
    // What somebody sends back counts as malformed.
    using Counters = Exchange::Counters;

    // `self`: kWitness; its boot id and instance are random numbers of this start.
    WitnessHost(const Sender& self, const Timing& timing, const LeaseKey& key,
                const std::map<GatewayId, Witness::File>& files, TimePoint now);

    [[nodiscard]] Orders on_datagram(ByteView bytes, const Address& from, TimePoint now);
    // next_deadline() has come; harmless when it has not.
    [[nodiscard]] Orders on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // What became of that save, and of those of the gateway before it.
    [[nodiscard]] Orders on_saved(GatewayId gateway, std::uint64_t ticket, bool succeeded,
                                  TimePoint now);
    // To be saved last, by a clean end: nothing is sent behind it.
    [[nodiscard]] std::map<GatewayId, Witness::File> last_files() const;

    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] const std::map<GatewayId, Witness>& votes() const { return votes_; }
    // The newest word of each node.
    [[nodiscard]] const std::map<NodeId, Heard>& heard() const { return heard_; }

  private:
    // The node is among those whose datagrams are taken; the one of longest ago gives way.
    void admit(NodeId node);
    void take(GatewayId gateway, Witness::Orders&& from, Orders& orders);
    void say(GatewayId gateway, const Address& to, const Message& message, Orders& orders);

    Sender self_;
    Timing timing_;
    Exchange exchange_;
    std::vector<NodeId> nodes_;      // The one that was heard last is the last one.
    std::map<NodeId, Heard> heard_;  // Of those, who has repeated a challenge.
    std::map<GatewayId, Witness> votes_;
    Counters counters_;
};

}  // namespace vpnha::lease
