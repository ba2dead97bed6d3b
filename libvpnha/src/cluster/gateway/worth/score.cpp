// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/worth/score.hpp"

namespace vpnha::node {

namespace {

// A standby repeats its score, because another node may have withdrawn it. For pacemaker-attrd the
// same value is no change. After its own demotion it does so soon: a node that learned late about
// it took this vpnhad for dead, and waits for its patience and the tool. After that it does so
// seldom: a node that was cut off may withdraw the score at any time.
constexpr Duration kScoreAgainSoon = std::chrono::seconds(8);
constexpr Duration kScoreAgainLater = std::chrono::seconds(90);

}  // namespace

void Score::expect_withdrawn(TimePoint now) {
    withdrawn_ = true;  // Perhaps: a standby does so when this node stands still.
    again_at_ = now + kScoreAgainSoon;
}

void Score::follow(const Worth& worth, TimePoint now) {
    if (worth.stands_in && !stands_in_) {
        again_at_ = now + kScoreAgainSoon;
    }
    stands_in_ = worth.stands_in;
    if (worth.stands_in) {
        frozen_ = true;
    } else if (worth.role == Role::promoted) {
        frozen_ = false;
    } else if (worth.moves) {
        frozen_ = true;
    }
    if (again_at_ && now >= *again_at_) {
        again_at_.reset();
        if (worth.role == Role::standby || worth.stands_in) {
            withdrawn_ = true;
        } else {
            // The demotion still runs, or none is expected.
            again_at_ = now + (worth.role == Role::changing ? kScoreAgainSoon : kScoreAgainLater);
        }
    }
}

std::optional<int> Score::due(const Worth& worth, TimePoint now) {
    follow(worth, now);
    if (written_) {
        const bool is_behind = worth.has_missed && worth.score < *written_;
        const bool stands_in_for_long = worth.stands_in && withdrawn_;
        if ((frozen_ && !is_behind && !stands_in_for_long) ||
            (worth.score == *written_ && !withdrawn_)) {
            settling_.reset();
            return std::nullopt;
        }
        if (!has_settled(worth, now)) {
            return std::nullopt;
        }
    }
    settling_.reset();
    // A node that stands in keeps its score: another one would abort a transition.
    written_ = worth.stands_in ? written_.value_or(worth.score) : worth.score;
    withdrawn_ = false;
    if (!again_at_ && (worth.role == Role::standby || worth.stands_in)) {
        again_at_ = now + kScoreAgainLater;
    }
    written_loss_ = worth.lost_sides;
    return written_;
}

bool Score::has_settled(const Worth& worth, TimePoint now) {
    if (settling_ != worth.score) {
        settling_ = worth.score;
        const bool is_urgent = worth.is_urgent || worth.lost_sides > written_loss_ ||
                               (worth.has_missed && worth.score < *written_);
        settled_at_ = now + (is_urgent ? Duration{} : kScoreSettle);
    }
    return now >= settled_at_;
}

std::optional<TimePoint> Score::next_deadline() const {
    return settling_ ? earliest(again_at_, settled_at_) : again_at_;
}

}  // namespace vpnha::node
