// SPDX-License-Identifier: GPL-2.0-or-later
// Which of the other voters count for this node, on one gateway: whether there would be a majority
// for its lease if one more node failed. Members of the group may not count: a packet filter
// between two nodes, another key, a disk that refuses. Pure.
//
// Of a node that asks (it claims the lease, or holds it), those count that answer its rounds; of
// any other node, those that are heard: each vpnhad says hello to all voters each second.
//
//   counts \ each second | this node asks            | this node does not ask
//                        | answered 1 s  | not       | heard 3 s     | not
//   ---------------------+---------------+-----------+---------------+----------
//   yes                  | -             | no, told  | -             | no, told
//   no                   | yes, told     | -         | yes, told     | -
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/gateway/watch/clock_rates.hpp"
#include "cluster/lease/engine.hpp"

namespace vpnha::node {

class VoterWatch {
  public:
    struct Vote {
        NodeId node;
        bool counts = true;
        std::optional<TimePoint> received_at;  // Any datagram of the lease.
        std::optional<TimePoint> answered_at;  // A round of this node.
        bool saves = true;                     // As it has told this node last.
    };
    struct News {
        NodeId node;
        bool counts;
    };

    VoterWatch(NodeId self, TimePoint now);

    // `engine` is the gateway's, after it has taken the message.
    void on_message(const lease::Sender& sender, const lease::Message& message,
                    const lease::Engine& engine, TimePoint now);
    [[nodiscard]] TimePoint next_tick() const { return next_tick_; }
    // It is time for hellos to the other voters; what is new of them.
    [[nodiscard]] std::vector<News> on_tick(const lease::Engine& engine, TimePoint now);

    // Nodes that go by other voters of the same version; true: others than before.
    bool note_differing(const std::vector<NodeId>& nodes) {
        return std::exchange(differing_, nodes) != nodes;
    }

    // That voter's disk takes what it votes, as far as known.
    [[nodiscard]] bool saves(NodeId node) const;
    // The vote of that node counts, or nothing is known of it yet.
    [[nodiscard]] bool counts(NodeId node) const {
        const auto found = votes_.find(node);
        return found == votes_.end() || found->second.counts;
    }
    // The other voters, as they were at the last tick, ascending.
    [[nodiscard]] std::vector<Vote> votes() const;
    // Of the voters that serve, or did.
    [[nodiscard]] ClockRates& clocks() { return clocks_; }
    [[nodiscard]] const ClockRates& clocks() const { return clocks_; }
    // How many of the voters may stop counting before no majority is left, this node being one that
    // counts; negative: there is none.
    [[nodiscard]] int reserve(const lease::Voters& voters) const;

  private:
    [[nodiscard]] bool counts(const Vote& vote, TimePoint now) const;

    NodeId self_;
    TimePoint next_tick_;
    TimePoint since_;  // For so long it listens, or asks.
    bool asks_ = false;
    std::map<NodeId, Vote> votes_;
    std::vector<NodeId> differing_;
    ClockRates clocks_;
};

}  // namespace vpnha::node
