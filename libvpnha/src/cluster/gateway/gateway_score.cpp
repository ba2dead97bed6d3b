// SPDX-License-Identifier: GPL-2.0-or-later
// What this node is worth for the gateway: its promotion score. worth/score.hpp says when it is
// written.
#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

namespace {

int score_of(wire::Level level, unsigned lost_sides, bool is_astray) {
    const int share = 100 - kPercentForLostSide * static_cast<int>(lost_sides) -
                      (is_astray ? kPercentForClock : 0);
    switch (level) {
        case wire::Level::complete:
            return kScoreComplete * share / 100;
        case wire::Level::partial:
            return kScorePartial * share / 100;
        case wire::Level::empty:
            return kScoreEmpty;
    }
    return kScoreEmpty;
}

Score::Role role_of(takeover::State state) {
    return state == takeover::State::standby    ? Score::Role::standby
           : state == takeover::State::promoted ? Score::Role::promoted
                                                : Score::Role::changing;
}

}  // namespace

Score::Worth GatewayNode::worth(TimePoint now) const {
    const unsigned loss = scored_loss();
    const takeover::State state = takeover_.state();
    const bool calls = calls_for_role(now);
    const bool gives_away = wishes_.own_lease.gives_role_away() || saved_.own_clock_astray();
    return {
        .role = role_of(state),
        .stands_in = stands_in(),
        .moves = replica_.promoted() || (replica_.epoch().number != 0 && !replica_.holder()),
        .score = gives_away ? kScoreEmpty
                 : calls    ? kScoreCalls
                            : score_of(standing(), loss, !blockers_.clock().empty()) +
                               score_for_standing_in(loss),
        .lost_sides = loss,
        // A promoted node that a standby surpasses would be demoted.
        .is_urgent =
            gives_away || calls || (stand_in_.wanted() && state == takeover::State::promoted),
        .has_missed =
            !replica_.holder() && (replica_.resync_reason() == wire::ResyncReason::missed_claim ||
                                   replica_.resync_reason() == wire::ResyncReason::gap),
    };
}

void GatewayNode::write_score(TimePoint now, Effects& effects) {
    if (attachment_.resource().empty()) {
        return;
    }
    // Its times go on where nothing is written: a deadline in the past would keep the loop turning.
    const std::optional<int> score = score_.due(worth(now), now);
    if (score && !attachment_.stopped()) {
        effects.emplace_back(WriteScore{settings_.id, attachment_.resource(), *score});
    }
}

}  // namespace vpnha::node
