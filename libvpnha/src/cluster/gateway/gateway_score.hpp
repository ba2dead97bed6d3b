// SPDX-License-Identifier: GPL-2.0-or-later
// What this node is worth for the gateway: its promotion score. worth/score.hpp says when it is
// written. Pure.
#pragma once

#include <optional>

#include "cluster/gateway/gateway_links.hpp"
#include "cluster/gateway/gateway_move.hpp"
#include "cluster/gateway/gateway_stand_in.hpp"
#include "cluster/gateway/worth/score.hpp"

namespace vpnha::node {

// Promotion scores: few levels, so that they are seldom written.
inline constexpr int kScoreComplete = 100;
inline constexpr int kScorePartial = 10;
inline constexpr int kScoreEmpty = 1;
// Of a score, for each side that counts as lost: 100 becomes 70 or 40. A node with everything and
// bad links stays above one that misses sessions; once that one is in sync it gets the gateway.
inline constexpr int kPercentForLostSide = 30;
// Of a score, where this node's clock differs from that of the node that serves.
inline constexpr int kPercentForClock = 10;
// Of the node that is to have the role: beyond what preferences and stickiness come to.
inline constexpr int kScoreCalls = 10'000;

class GatewayScore {
  public:
    // The parts of the gateway that the score is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Attachment& attachment;
        const GatewayView& view;
        const replica::Replica& replica;
        const SavedLease& lease;
        const Blockers& blockers;
        const GatewayLinks& links;
        const GatewayMoves& moves;
        const GatewayStandIn& stand_in;
    };
    explicit GatewayScore(const Parts& parts) : parts_(parts) {}

    // Writes it when that is due.
    void write(TimePoint now, Effects& effects);
    // Pacemaker's monitor: it is written once more.
    void on_probe(Effects& effects);
    // What becomes known of the others' scores, and of Pacemaker.
    [[nodiscard]] Score& score() { return score_; }
    [[nodiscard]] const Score& score() const { return score_; }

  private:
    [[nodiscard]] Score::Worth worth(TimePoint now) const;

    Parts parts_;
    Score score_;
};

}  // namespace vpnha::node
