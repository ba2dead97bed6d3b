// SPDX-License-Identifier: GPL-2.0-or-later
// The promotion score of this node: what is written, when it waits, and when it is written again.
#include "node/gateway_node.hpp"

namespace vpnha::node {

namespace {

// A standby writes its score again and again: another node may have withdrawn it. To
// pacemaker-attrd the same value is no change. Soon after its own demotion: a node that heard late
// of it, and took this vpnhad for dead, waits for its patience and for the tool. From then on
// seldom: a node that was cut off withdraws the score however late.
constexpr Duration kScoreAgainSoon = std::chrono::seconds(8);
constexpr Duration kScoreAgainLater = std::chrono::seconds(90);

int score_of(wire::Level level, unsigned lost_sides) {
    const int share = 100 - kPercentForLostSide * static_cast<int>(lost_sides);
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

}  // namespace

void GatewayNode::doubt_score(TimePoint now) {
    score_withdrawn_ = true;  // Perhaps: a standby does so when this node stands still.
    score_again_at_ = now + kScoreAgainSoon;
}

void GatewayNode::write_score(TimePoint now, Effects& effects) {
    if (acting()) {
        frozen_ = true;
    } else if (takeover_.state() == takeover::State::promoted) {
        frozen_ = false;
    } else if (replica_.promoted() || (replica_.epoch().number != 0 && !replica_.holder())) {
        frozen_ = true;  // The role is on its way, from here or to here.
    }
    if (score_again_at_ && now >= *score_again_at_) {
        score_again_at_.reset();
        if (takeover_.state() == takeover::State::standby) {
            score_withdrawn_ = true;
        } else if (takeover_.state() != takeover::State::promoted) {
            score_again_at_ = now + kScoreAgainSoon;  // The demotion lasts.
        }
    }
    const unsigned loss = scored_loss();
    const int score =
        gives_role_away_ ? kScoreEmpty : score_of(standing(), loss) + score_for_standing_in(loss);
    if (resource_.empty()) {
        return;
    }
    if (written_score_) {
        // To promote what lacks another one's records costs more than an aborted transition.
        const bool has_missed_epoch = !replica_.holder() &&
                                      replica_.doubt() == wire::Doubt::missed_claim &&
                                      score < *written_score_;
        if ((frozen_ && !has_missed_epoch) || (score == *written_score_ && !score_withdrawn_)) {
            settling_score_.reset();
            return;
        }
        if (settling_score_ != score) {
            settling_score_ = score;
            // A promoted node that a standby surpasses would be demoted.
            const bool is_promoted =
                stand_in_.wanted() && takeover_.state() == takeover::State::promoted;
            const bool is_urgent =
                gives_role_away_ || has_missed_epoch || loss > written_loss_ || is_promoted;
            score_at_ = now + (is_urgent ? Duration{} : kScoreSettle);
        }
        if (now < score_at_) {
            return;
        }
    }
    settling_score_.reset();
    written_score_ = score;
    score_withdrawn_ = false;
    if (!score_again_at_ && takeover_.state() == takeover::State::standby) {
        score_again_at_ = now + kScoreAgainLater;
    }
    written_loss_ = loss;
    effects.emplace_back(WriteScore{settings_.id, resource_, score});
}

}  // namespace vpnha::node
