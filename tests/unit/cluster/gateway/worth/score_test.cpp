// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/worth/score.hpp"

#include <gtest/gtest.h>

namespace vpnha::node {
namespace score_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

Score::Worth standby(int score) {
    return {.role = Score::Role::standby, .score = score};
}

class ScoreTest : public ::testing::Test {
  protected:
    // One that Pacemaker knows.
    static Score written(int score) {
        Score written;
        EXPECT_EQ(written.due(standby(score), kStart), score);
        return written;
    }
};

TEST_F(ScoreTest, TheFirstOneIsWrittenAtOnceAndTheSameOneNotAgain) {
    Score score = written(100);
    EXPECT_EQ(score.due(standby(100), kStart + seconds(60)), std::nullopt);
    score.forget();
    EXPECT_EQ(score.written(), std::nullopt);
    EXPECT_EQ(score.due(standby(100), kStart + seconds(60)), 100);
}

TEST_F(ScoreTest, AnotherOneWaitsUntilItHasSettled) {
    Score score = written(100);
    EXPECT_EQ(score.due(standby(10), kStart + seconds(1)), std::nullopt);
    EXPECT_EQ(score.next_deadline(), kStart + seconds(1) + kScoreSettle);
    EXPECT_EQ(score.due(standby(1), kStart + milliseconds(1900)), std::nullopt) << "a third one";
    EXPECT_EQ(score.due(standby(1), kStart + milliseconds(2100)), std::nullopt);
    EXPECT_EQ(score.due(standby(1), kStart + milliseconds(2900)), 1);
}

TEST_F(ScoreTest, WhatHealsBeforeItHasSettledIsNoNews) {
    Score score = written(100);
    EXPECT_EQ(score.due(standby(10), kStart + seconds(1)), std::nullopt);
    EXPECT_EQ(score.due(standby(100), kStart + milliseconds(1500)), std::nullopt);
    EXPECT_EQ(score.due(standby(10), kStart + milliseconds(2100)), std::nullopt) << "anew";
}

TEST_F(ScoreTest, ALostSideAndWhatIsUrgentAreWrittenAtOnce) {
    Score lost = written(100);
    EXPECT_EQ(lost.due({.score = 70, .lost_sides = 1}, kStart), 70);
    EXPECT_EQ(lost.due({.score = 60, .lost_sides = 1}, kStart), std::nullopt) << "the same loss";
    Score urgent = written(100);
    EXPECT_EQ(urgent.due({.score = 1, .is_urgent = true}, kStart), 1);
}

TEST_F(ScoreTest, StandsStillWhileTheRoleIsOnItsWay) {
    Score score = written(100);
    const Score::Worth moving{.moves = true, .score = 10, .lost_sides = 1, .is_urgent = true};
    EXPECT_EQ(score.due(moving, kStart), std::nullopt);
    EXPECT_EQ(score.due({.score = 10, .is_urgent = true}, kStart), std::nullopt) << "until then";
    score.thaw();
    EXPECT_EQ(score.due({.score = 10, .is_urgent = true}, kStart), 10);
    score.freeze();
    EXPECT_EQ(score.due({.role = Score::Role::promoted, .score = 102, .is_urgent = true}, kStart),
              102)
        << "it holds the role";
    EXPECT_EQ(
        score.due(
            {.role = Score::Role::promoted, .stands_in = true, .score = 100, .is_urgent = true},
            kStart),
        std::nullopt)
        << "Pacemaker has yet to decide";
}

TEST_F(ScoreTest, WhoHasMissedAnEpochReportsSoEvenThen) {
    Score score = written(100);
    score.freeze();
    EXPECT_EQ(score.due({.score = 101, .has_missed = true}, kStart), std::nullopt);
    EXPECT_EQ(score.due({.score = 10, .has_missed = true}, kStart), 10);
}

TEST_F(ScoreTest, WhatMayHaveBeenWithdrawnIsWrittenAgain) {
    Score score = written(100);
    score.expect_withdrawn(kStart);
    EXPECT_EQ(score.due(standby(100), kStart), std::nullopt);
    EXPECT_EQ(score.due(standby(100), kStart + kScoreSettle), 100);
    const auto again = score.next_deadline();
    ASSERT_TRUE(again.has_value()) << "later once more: it may be withdrawn yet";
    EXPECT_EQ(score.due(standby(100), *again), std::nullopt);
    EXPECT_EQ(score.due(standby(100), *again + kScoreSettle), 100);
}

// Another node withdrew it while this one claimed in vain; then all were frozen, without a score.
TEST_F(ScoreTest, WhoActsForLongWritesItsScoreAgain) {
    Score score = written(100);
    Score::Worth stands_in{
        .role = Score::Role::promoted, .stands_in = true, .moves = true, .score = 102};
    EXPECT_EQ(score.due(stands_in, kStart + seconds(1)), std::nullopt) << "Pacemaker decides";
    EXPECT_EQ(score.due(stands_in, kStart + seconds(8)), std::nullopt);
    EXPECT_EQ(score.due(stands_in, kStart + seconds(9)), std::nullopt) << "it settles";
    EXPECT_EQ(score.due(stands_in, kStart + seconds(10)), 100) << "the same as before";
    EXPECT_EQ(score.due(stands_in, kStart + seconds(60)), std::nullopt);
    EXPECT_EQ(score.due(stands_in, kStart + seconds(101)), std::nullopt);
    EXPECT_EQ(score.due(stands_in, kStart + seconds(102)), 100) << "and seldom";
}

TEST_F(ScoreTest, ADemotionThatLastsIsWaitedFor) {
    Score score = written(100);
    score.expect_withdrawn(kStart);
    const auto again = score.next_deadline();
    ASSERT_TRUE(again.has_value());
    const Score::Worth demoting{.role = Score::Role::changing, .score = 100};
    EXPECT_EQ(score.due(demoting, kStart + kScoreSettle), std::nullopt);
    EXPECT_EQ(score.due(demoting, kStart + kScoreSettle * 2), 100);
    EXPECT_EQ(score.due(demoting, *again), std::nullopt);
    EXPECT_GT(score.next_deadline(), again);
}

}  // namespace score_test
}  // namespace vpnha::node
