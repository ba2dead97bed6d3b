// SPDX-License-Identifier: GPL-2.0-or-later
// How long the lease lasts where it sizes itself ([lease] duration = "auto"). Each node measures
// how late its own loop is, 40 times a second, and as a holder how long each voter takes to answer.
// The worst of the last days decides which L it needs, and each Hello states it. The holder asks
// for the longest L that a voter needs. Pure.
//
//   it needs \ event | an hour of measures | a late turn or answer | the worst is too old
//   -----------------+---------------------+-----------------------+---------------------
//   the widest (1)   | 8/3 of the worst    | -                     | -
//   less             | -                   | more, at once         | less
//
//   (1) from the start on: what it measured before is forgotten. What its start itself takes, in
//   the first 10 s, does not count.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/gateway/watch/recent_worst.hpp"
#include "cluster/lease/messages.hpp"
#include "cluster/lease/timing.hpp"

namespace vpnha::node {

class LeaseSize {
  public:
    static constexpr Duration kNarrowest = std::chrono::milliseconds(60);
    static constexpr Duration kWidest = lease::Timing().lease;

    // `watch`: for how long a measure counts, a minute or more.
    LeaseSize(Duration watch, TimePoint now);

    // The loop is to turn then; `late` turns are measured.
    [[nodiscard]] TimePoint next_turn() const { return next_turn_; }
    void on_turn(TimePoint now);
    // This node's round went out (the first call counts), and a voter has answered it. Answers to
    // any of the newest 16 rounds count, also those that the majority did not need.
    void on_round(const lease::RoundId& id, TimePoint now);
    void on_answer(const lease::RoundId& id, TimePoint now);
    // What that voter needs, as its Hello states.
    void on_needs(NodeId node, Duration needs, TimePoint now);

    // The longest time of the watch that this node's loop or a voter was late by.
    [[nodiscard]] Duration worst(TimePoint now) const { return recent_.worst(now); }
    // What this node needs: kNarrowest to kWidest, in steps of 10 ms.
    [[nodiscard]] Duration needs(TimePoint now) const;
    // The L that all these voters are content with. One that was not heard for 10 s does not count.
    [[nodiscard]] Duration lease(const std::vector<NodeId>& voters, TimePoint now) const;
    // Who needs the longest one; nullopt: this node itself, or nobody needs more than the least.
    [[nodiscard]] std::optional<NodeId> slowest(const std::vector<NodeId>& voters,
                                                TimePoint now) const;

  private:
    static constexpr std::size_t kParts = 28;
    struct Sent {
        lease::RoundId id;
        TimePoint at{};
    };
    struct Needs {
        Duration lease{};
        TimePoint received_at{};
    };

    void note(Duration late, TimePoint now);

    RecentWorst<kParts> recent_;
    TimePoint measures_from_;
    TimePoint measures_until_;  // Before that nobody knows enough.
    TimePoint next_turn_;
    std::array<Sent, 16> sent_{};
    std::map<NodeId, Needs> others_;
};

}  // namespace vpnha::node
