// SPDX-License-Identifier: GPL-2.0-or-later
#include "keeper.hpp"

#include <gtest/gtest.h>

namespace vpnha::keeper {
namespace keeper_test {

using namespace std::chrono_literals;

constexpr Next kAtOnce{};
constexpr Next kOnlyVotes{.pause = {}, .votes_only = true};

TimePoint at(Duration since_boot) {
    return TimePoint(since_boot);
}

TEST(KeeperTest, WhoLivedIsFollowedAtOnce) {
    Keeper keeper;
    EXPECT_EQ(keeper.restarts(), 0U);
    EXPECT_EQ(keeper.on_death(at(0s), at(1h)), kAtOnce);
    EXPECT_EQ(keeper.restarts(), 1U);
    EXPECT_FALSE(keeper.second_chance_at());
}

TEST(KeeperTest, WhoDiedAtItsStartIsFollowedAfterAPause) {
    Keeper keeper;
    EXPECT_EQ(keeper.on_death(at(10s), at(10s + kShortLife - 1ms)).pause, kPause);
    EXPECT_EQ(keeper.on_death(at(20s), at(20s + kShortLife)).pause, Duration{});
}

TEST(KeeperTest, TheThirdDeathWithinAMinuteLeavesAVoter) {
    Keeper keeper;
    EXPECT_EQ(keeper.on_death(at(0s), at(100s)), kAtOnce);
    EXPECT_EQ(keeper.on_death(at(100s), at(120s)), kAtOnce);
    EXPECT_EQ(keeper.on_death(at(120s), at(160s)), kOnlyVotes);
    EXPECT_EQ(keeper.second_chance_at(), at(160s) + kVotesOnlyFor);
}

TEST(KeeperTest, DeathsThatLieApartAreNoLoop) {
    Keeper keeper;
    TimePoint now = at(100s);
    for (int death = 0; death < 20; ++death) {
        const TimePoint started = now;
        now += 30s + 1ms;  // The first and the third of each three: a minute and 2 ms.
        EXPECT_EQ(keeper.on_death(started, now), kAtOnce) << death;
    }
}

TEST(KeeperTest, AVoterThatDiesIsFollowedByAVoter) {
    Keeper keeper;
    for (const Duration death : {100s, 120s, 160s}) {
        (void)keeper.on_death(at(0s), at(death));
    }
    EXPECT_EQ(keeper.on_death(at(160s), at(500s)), kOnlyVotes);
    EXPECT_EQ(keeper.second_chance_at(), at(500s) + kVotesOnlyFor);
}

TEST(KeeperTest, TheSecondChanceIsOneDeathLong) {
    Keeper keeper;
    for (const Duration death : {100s, 120s, 160s}) {
        (void)keeper.on_death(at(0s), at(death));
    }
    const TimePoint again = at(160s) + kVotesOnlyFor;
    EXPECT_EQ(keeper.on_second_chance(again), kAtOnce);
    EXPECT_FALSE(keeper.second_chance_at());
    EXPECT_EQ(keeper.on_death(again, again + 18s), kOnlyVotes);
    EXPECT_EQ(keeper.second_chance_at(), again + 18s + kVotesOnlyFor);
}

TEST(KeeperTest, WhoOutlivesTheSecondChanceIsAsGoodAsNew) {
    Keeper keeper;
    for (const Duration death : {100s, 120s, 160s}) {
        (void)keeper.on_death(at(0s), at(death));
    }
    const TimePoint again = at(160s) + kVotesOnlyFor;
    (void)keeper.on_second_chance(again);
    EXPECT_EQ(keeper.on_death(again, again + kVotesOnlyFor), kAtOnce);
    EXPECT_EQ(keeper.on_death(again, again + kVotesOnlyFor + 20s), kAtOnce);
}

}  // namespace keeper_test
}  // namespace vpnha::keeper
