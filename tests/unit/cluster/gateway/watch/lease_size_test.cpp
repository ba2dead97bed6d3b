// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/lease_size.hpp"

#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"

namespace vpnha::node {
namespace lease_size_test {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TimePoint kStart{hours(100)};
constexpr Duration kWatch = hours(28);
const NodeId kOther{2};
const NodeId kThird{3};
const std::vector<NodeId> kVoters{NodeId{1}, kOther, kThird};

class LeaseSizeTest : public ::testing::Test {
  protected:
    // Turns that are punctual, except the last.
    void turn(TimePoint until, Duration late = {}) {
        for (; size_.next_turn() <= until; now_ = size_.next_turn()) {
            size_.on_turn(size_.next_turn());
        }
        now_ = size_.next_turn() + late;
        size_.on_turn(now_);
    }
    static lease::RoundId round(std::uint64_t number, std::uint64_t epoch = 1) {
        return {{epoch, NodeId{1}}, {1}, number};
    }

    LeaseSize size_{kWatch, kStart};
    TimePoint now_ = kStart;
};

TEST_F(LeaseSizeTest, ForAnHourANodeNeedsTheWidest) {
    turn(kStart + minutes(59));
    EXPECT_EQ(size_.needs(now_), milliseconds(300));
    turn(kStart + hours(1));
    EXPECT_EQ(size_.needs(now_), milliseconds(60));
}

TEST_F(LeaseSizeTest, ALateTurnWidensIt) {
    turn(kStart + hours(2), milliseconds(30));
    EXPECT_EQ(size_.worst(now_), milliseconds(30));
    EXPECT_EQ(size_.needs(now_), milliseconds(80));
    turn(now_, milliseconds(31));
    EXPECT_EQ(size_.needs(now_), milliseconds(90));
    turn(now_, seconds(2));
    EXPECT_EQ(size_.needs(now_), milliseconds(300));
}

TEST_F(LeaseSizeTest, WhatIsTooOldDoesNotCount) {
    turn(kStart + hours(2), milliseconds(60));
    const TimePoint late = now_;
    EXPECT_EQ(size_.needs(late + kWatch - hours(1)), milliseconds(160));
    EXPECT_EQ(size_.needs(late + kWatch + hours(1)), milliseconds(60));
}

TEST_F(LeaseSizeTest, WhatTheStartTakesDoesNotCount) {
    now_ = kStart + seconds(9);
    size_.on_turn(now_);
    EXPECT_EQ(size_.worst(now_), Duration{});
}

TEST_F(LeaseSizeTest, AVoterThatAnswersLateCounts) {
    now_ = kStart + hours(2);
    size_.on_round(round(5), now_);
    size_.on_round(round(5), now_ + milliseconds(20));  // The same one.
    size_.on_answer(round(5), now_ + milliseconds(48));
    EXPECT_EQ(size_.worst(now_), milliseconds(48));
}

TEST_F(LeaseSizeTest, AnAnswerToAnotherEpochsRoundOrToAnOldOneDoesNot) {
    now_ = kStart + hours(2);
    size_.on_round(round(5), now_);
    size_.on_answer(round(5, 2), now_ + milliseconds(48));
    size_.on_answer(round(6), now_ + milliseconds(48));
    size_.on_answer(round(0), now_ + milliseconds(48));
    size_.on_round(round(21), now_ + milliseconds(50));
    size_.on_answer(round(5), now_ + milliseconds(60));
    EXPECT_EQ(size_.worst(now_), Duration{});
}

TEST_F(LeaseSizeTest, TheSlowestVoterThatIsReceivedDecides) {
    now_ = kStart + hours(2);
    size_.on_needs(kOther, milliseconds(120), now_);
    size_.on_needs(kThird, milliseconds(200), now_);
    EXPECT_EQ(size_.lease(kVoters, now_), milliseconds(200));
    EXPECT_EQ(size_.slowest(kVoters, now_), kThird);
    EXPECT_EQ(size_.lease({NodeId{1}, kOther}, now_), milliseconds(120));
    size_.on_needs(kOther, milliseconds(120), now_ + seconds(9));
    EXPECT_EQ(size_.lease(kVoters, now_ + seconds(11)), milliseconds(120));
    EXPECT_EQ(size_.lease(kVoters, now_ + seconds(20)), milliseconds(60));
    EXPECT_EQ(size_.slowest(kVoters, now_ + seconds(20)), std::nullopt);
}

TEST_F(LeaseSizeTest, NoNodeNeedsMoreThanTheWidestOrLessThanTheLeast) {
    now_ = kStart + hours(2);
    size_.on_needs(kOther, milliseconds(500), now_);
    EXPECT_EQ(size_.lease(kVoters, now_), milliseconds(300));
    size_.on_needs(kOther, milliseconds(1), now_);
    EXPECT_EQ(size_.lease(kVoters, now_), milliseconds(60));
}

class NodeLeaseSizeTest : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.kill(node);
        }
        cluster_.size_leases(minutes(1));
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
    }
    [[nodiscard]] Duration lease(std::uint32_t node) {
        return cluster_.lease(node).holder().timing().lease;
    }

    FakeCluster cluster_{3, 3, true};
};

TEST_F(NodeLeaseSizeTest, ItNarrowsWidensByALateStandbyAndNarrowsAgain) {
    EXPECT_EQ(lease(1), milliseconds(300));
    cluster_.pass(seconds(70));
    EXPECT_EQ(lease(1), milliseconds(60));
    EXPECT_EQ(lease(2), milliseconds(60));
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("the lease lasts 60 ms from now on")));
    // A turn is due a millisecond from now, and no loop turns for 35 ms.
    while (cluster_.now().time_since_epoch() % milliseconds(25) != milliseconds(24)) {
        cluster_.pass(milliseconds(1));
    }
    cluster_.stand_still(milliseconds(35));
    cluster_.pass(seconds(2));
    EXPECT_EQ(lease(1), milliseconds(100));
    EXPECT_EQ(lease(2), milliseconds(100));
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_EQ(cluster_.at(1).node->find(kGateway)->view().state(), takeover::State::promoted);
    cluster_.pass(seconds(70));
    EXPECT_EQ(lease(1), milliseconds(60));
    EXPECT_THAT(cluster_.at(1).log, Not(Contains(HasSubstr("lapsed"))));
}

TEST_F(NodeLeaseSizeTest, TheHolderAsksForWhatAStandbyNeeds) {
    cluster_.pass(seconds(70));
    lease::Hello hello;
    hello.sent_at = cluster_.now();
    hello.needs = milliseconds(200);
    const auto handle = [&](const lease::Sender& sender) {
        cluster_.run(
            1, cluster_.at(1).node->on_lease_message(kGateway, sender, hello, cluster_.now()));
        cluster_.pass(milliseconds(30));
        return lease(1);
    };
    const lease::Sender standby = cluster_.at(2).node->find(kGateway)->cores().settings.lease.self;
    EXPECT_EQ(handle({NodeId{7}, standby.boot, standby.instance}), milliseconds(60));
    EXPECT_EQ(handle(standby), milliseconds(200));
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("lasts 200 ms from now on, and 60 ms "
                                                       "before: node 2 needs it")));
    cluster_.pass(seconds(2));  // Its own Hello.
    EXPECT_EQ(lease(1), milliseconds(60));
}

TEST_F(NodeLeaseSizeTest, ADeadHoldersPromiseIsAsShortAsItsLease) {
    cluster_.pass(seconds(70));
    const TimePoint death = cluster_.now();
    cluster_.lose_power(1);
    for (int i = 0; i < 200 && !cluster_.gate_open(2) && !cluster_.gate_open(3); ++i) {
        cluster_.pass(milliseconds(1));
    }
    EXPECT_LT(cluster_.now() - death, milliseconds(130));
}

TEST_F(NodeLeaseSizeTest, WithoutItTheLeaseStaysWhatTheFileStates) {
    FakeCluster fixed(3);
    ASSERT_TRUE(fixed.promote(1).has_value());
    fixed.pass(minutes(3));
    EXPECT_EQ(fixed.lease(1).holder().timing().lease, milliseconds(300));
    EXPECT_THAT(fixed.at(1).log, Not(Contains(HasSubstr("lease-sized"))));
}

}  // namespace lease_size_test
}  // namespace vpnha::node
