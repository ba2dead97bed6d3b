// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/round_lateness.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "unit/cluster/node/fake_cluster.hpp"

namespace vpnha::node {
namespace round_lateness_test {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TimePoint kNow{hours(100)};

TEST(RoundLatenessTest, ARoundCountsBelowItsBound) {
    RoundLateness lateness;
    for (const Duration late : {Duration{}, Duration(milliseconds(1)), Duration(microseconds(1001)),
                                Duration(milliseconds(500)), Duration(milliseconds(501))}) {
        lateness.note(late, kNow);
    }
    EXPECT_THAT(lateness.histogram().counts(), ElementsAre(2, 1, 0, 0, 0, 0, 0, 0, 1, 1));
    EXPECT_EQ(lateness.histogram().sum(), Duration(microseconds(1'003'001)));
}

TEST(RoundLatenessTest, TheWorstIsOfADay) {
    RoundLateness lateness;
    EXPECT_EQ(lateness.worst_of_day(kNow), Duration{});
    lateness.note(milliseconds(90), kNow);
    lateness.note(milliseconds(1), kNow);
    lateness.note(milliseconds(3), kNow + hours(1));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(23)), Duration(milliseconds(90)));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(24)), Duration(milliseconds(3)));
    lateness.note(milliseconds(1), kNow + hours(24));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(26)), Duration(milliseconds(1)));
}

TEST(RoundLatenessTest, AWarningIsGivenOnceAnHour) {
    RoundLateness lateness;
    lateness.note(milliseconds(100), kNow);
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow));
    lateness.note(milliseconds(101), kNow);
    lateness.note(milliseconds(1), kNow);
    EXPECT_TRUE(lateness.warns(milliseconds(100), kNow));
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow + hours(2))) << "nothing new";
    lateness.note(milliseconds(101), kNow + hours(2));
    EXPECT_TRUE(lateness.warns(milliseconds(100), kNow + hours(2)));
    lateness.note(milliseconds(300), kNow + hours(2));
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow + hours(2)));
}

// Whole nodes, of which node 1 holds the lease.
class LateRoundsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1).has_value());
        cluster_.pass(seconds(2));
    }
    const RoundLateness& lateness(std::uint32_t node) {
        return cluster_.at(node).node->find(kGateway)->voters().lateness();
    }
    std::uint64_t rounds(std::uint32_t node) {
        const auto& counts = lateness(node).histogram().counts();
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    }
    // Something comes before the late loop has turned.
    void handle_hello() {
        const lease::Sender sender =
            cluster_.at(2).node->find(kGateway)->cores().settings.lease.self;
        cluster_.run(1, cluster_.at(1).node->on_lease_message(kGateway, sender, lease::Hello{},
                                                              cluster_.now()));
    }
    FakeCluster cluster_{3};
};

TEST_F(LateRoundsTest, EachRoundOfALeaseThatIsHeldCountsOnce) {
    EXPECT_GE(rounds(1), 19U);
    EXPECT_LE(rounds(1), 21U);
    EXPECT_EQ(lateness(1).worst_of_day(cluster_.now()), Duration{});
    EXPECT_EQ(rounds(2), 0U);
    cluster_.mute_leases({1});
    cluster_.pass(milliseconds(400));
    ASSERT_FALSE(cluster_.gate_open(1));
    const std::uint64_t held = rounds(1);
    cluster_.pass(seconds(2));
    EXPECT_EQ(rounds(1), held) << "claims alone";
}

TEST_F(LateRoundsTest, ARoundThatBeginsLateIsNamedWithinASecond) {
    const std::uint64_t before = rounds(1);
    cluster_.stand_still(milliseconds(210));
    handle_hello();
    cluster_.pass(milliseconds(1));
    EXPECT_EQ(rounds(1), before + 1);
    EXPECT_GT(lateness(1).worst_of_day(cluster_.now()), milliseconds(100));
    cluster_.pass(seconds(1));
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=late-rounds")));
    EXPECT_THAT(cluster_.at(2).log, Not(Contains(HasSubstr("event=late-rounds"))));
}

TEST_F(LateRoundsTest, LessThanHalfOfTheSlackIsNotNamed) {
    cluster_.stand_still(milliseconds(90));
    cluster_.pass(seconds(2));
    EXPECT_THAT(cluster_.at(1).log, Not(Contains(HasSubstr("event=late-rounds"))));
}

// Its lease has ended by then, so that round never begins.
TEST_F(LateRoundsTest, TheRoundThatCostTheLeaseCountsThoughAMessageComesFirst) {
    const std::uint64_t before = rounds(1);
    cluster_.stand_still(milliseconds(400));
    handle_hello();
    ASSERT_FALSE(cluster_.lease(1).holder().serving());
    EXPECT_EQ(rounds(1), before + 1);
    EXPECT_GE(lateness(1).worst_of_day(cluster_.now()), milliseconds(300));
}

}  // namespace round_lateness_test
}  // namespace vpnha::node
