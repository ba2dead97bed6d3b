// SPDX-License-Identifier: GPL-2.0-or-later
// When this node's promotion score is written for Pacemaker. Pure. What it is worth is the
// gateway's (gateway_score.cpp).
//
//   as written \ now it is | the same     | another one          | another one, urgent
//   -----------------------+--------------+----------------------+--------------------
//   nothing was written    | XXX          | written              | written
//   known to Pacemaker     | -            | after kScoreSettle   | written
//   perhaps withdrawn      | after kScoreSettle                  | written
//   frozen                 | -            | - (1)                | - (1)
//
//   (1) Two are written all the same. A lower one of a node that has missed an epoch or changes: to
//   promote a node without another one's records costs more than an aborted transition. And that of
//   a node that stands in for long: its score may have been withdrawn before, and nobody else has
//   one.
//
// It is frozen while Pacemaker decides, or the role is on its way: a score that changed then would
// abort its transition.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace vpnha::node {

// A score other than the first is written when it was right for so long: a resync that heals a gap
// at once is no news. One that is lower because a link was lost is written at once.
inline constexpr Duration kScoreSettle = std::chrono::seconds(1);

class Score {
  public:
    // `changing` is any state in between, draining too.
    enum class Role { standby, changing, promoted };
    // What this node is worth now.
    struct Worth {
        Role role{};
        bool stands_in = false;
        bool moves = false;  // The role is on its way, from here or to here.
        int score = 0;
        unsigned lost_sides = 0;  // That are in it.
        bool is_urgent = false;   // Not only because a side was lost.
        bool has_missed = false;  // An epoch, or changes, of a node that is gone.
    };

    // Pacemaker has forgotten it.
    void forget() { written_.reset(); }
    // Until this node is promoted, or thaw().
    void freeze() { frozen_ = true; }
    void thaw() { frozen_ = false; }
    // Another node may have withdrawn it, or may yet do so.
    void expect_withdrawn(TimePoint now);
    // What is to be written now.
    [[nodiscard]] std::optional<int> due(const Worth& worth, TimePoint now);
    [[nodiscard]] std::optional<int> written() const { return written_; }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    void follow(const Worth& worth, TimePoint now);
    // Whether the new one has waited for long enough.
    [[nodiscard]] bool has_settled(const Worth& worth, TimePoint now);

    std::optional<int> written_;
    unsigned written_loss_ = 0;  // Lost sides that are in it.
    bool withdrawn_ = false;     // By another node, perhaps, since it was written.
    std::optional<TimePoint> again_at_;
    std::optional<int> settling_;  // Differs from the written one since settled_at_ less a while.
    TimePoint settled_at_{};
    bool frozen_ = false;
    bool stands_in_ = false;
};

}  // namespace vpnha::node
