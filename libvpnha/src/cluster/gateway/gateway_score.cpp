// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_score.hpp"

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

Score::Worth GatewayScore::worth(TimePoint now) const {
    const unsigned loss = parts_.links.scored_loss();
    const takeover::State state = parts_.view.state();
    const bool calls = parts_.moves.calls_for_role(now);
    const bool gives_away =
        parts_.links.own_lease().gives_role_away() || parts_.lease.own_clock_astray();
    return {
        .role = role_of(state),
        .stands_in = parts_.view.stands_in(),
        .moves = parts_.replica.promoted() ||
                 (parts_.replica.epoch().number != 0 && !parts_.replica.holder()),
        .score = gives_away ? kScoreEmpty
                 : calls
                     ? kScoreCalls
                     : score_of(parts_.view.standing(), loss, !parts_.blockers.clock().empty()) +
                           parts_.stand_in.score(loss),
        .lost_sides = loss,
        // A promoted node that a standby surpasses would be demoted.
        .is_urgent =
            gives_away || calls || (parts_.settings.stand_in && state == takeover::State::promoted),
        .has_missed = !parts_.replica.holder() &&
                      (parts_.replica.resync_reason() == wire::ResyncReason::missed_claim ||
                       parts_.replica.resync_reason() == wire::ResyncReason::gap),
    };
}

void GatewayScore::write(TimePoint now, Effects& effects) {
    if (parts_.attachment.resource().empty()) {
        return;
    }
    // This runs even if nothing is written: a deadline in the past would keep the loop busy.
    const std::optional<int> score = score_.due(worth(now), now);
    if (score && !parts_.attachment.stopped()) {
        effects.emplace_back(WriteScore{parts_.settings.id, parts_.attachment.resource(), *score});
    }
}

void GatewayScore::on_probe(Effects& effects) {
    if (const std::optional<int> written = score_.written()) {
        effects.emplace_back(
            WriteScore{parts_.settings.id, parts_.attachment.resource(), *written});
    }
}

}  // namespace vpnha::node
