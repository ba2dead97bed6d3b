// SPDX-License-Identifier: GPL-2.0-or-later
// A planned move loses no packet: the old node sends on, the new one holds.
#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"

namespace vpnha::node {
namespace lossless_move_test {

using std::chrono::milliseconds;

class LosslessMoveTest : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.state_macs(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
        cluster_.at(1).held.reset();
    }
    // Node 1 drains, and the other one claims.
    void claim(std::uint32_t node) {
        ASSERT_TRUE(cluster_.begin_demote(1).has_value());
        begun_ = cluster_.now();
        cluster_.begin_promote(node);
    }

    FakeCluster cluster_{3};
    TimePoint begun_;
};

TEST_F(LosslessMoveTest, TheOldNodeSendsOnAndItsGateShutsBeforeItHandsOver) {
    std::vector<TimePoint> words;
    cluster_.lose_leases([&](std::uint32_t from, const SendLease& sent) {
        const auto* const answer = std::get_if<lease::Answer>(&sent.message);
        if (from == 1 && answer != nullptr && answer->handover) {
            words.push_back(cluster_.now());
        }
        return false;
    });
    const TimePoint given_up = cluster_.at(1).gate;
    claim(2);
    ASSERT_TRUE(cluster_.at(1).left.has_value());
    const LeaveGate& left = *cluster_.at(1).left;
    EXPECT_EQ(left.to, FakeCluster::macs_of(2));
    EXPECT_EQ(left.shut_at, begun_ + milliseconds(5));
    EXPECT_EQ(left.until, begun_ + milliseconds(200));
    EXPECT_EQ(left.beyond, given_up);
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_FALSE(cluster_.gate_open(2));
    EXPECT_EQ(cluster_.at(2).given_back, 0);
    cluster_.pass(milliseconds(10));
    EXPECT_EQ(cluster_.at(2).given_back, 1);
    ASSERT_FALSE(words.empty());
    EXPECT_GE(words.front(), left.shut_at);
    EXPECT_FALSE(cluster_.gate_open(1));
    EXPECT_TRUE(cluster_.gate_open(2));
    EXPECT_EQ(cluster_.state(1), takeover::State::standby);
}

TEST_F(LosslessMoveTest, TheNewNodeHoldsFromItsClaimOn) {
    bool held = false;
    cluster_.lose_leases([&](std::uint32_t from, const SendLease& sent) {
        const auto* const round = std::get_if<lease::Round>(&sent.message);
        if (from == 2 && round != nullptr) {
            held = cluster_.at(2).held.has_value();
        }
        return false;
    });
    claim(2);
    EXPECT_TRUE(held) << "before it says so";
    ASSERT_TRUE(cluster_.at(2).held.has_value());
    EXPECT_EQ(cluster_.at(2).held->before, FakeCluster::macs_of(1));
    EXPECT_EQ(cluster_.at(2).held->until, begun_ + milliseconds(250));
    EXPECT_FALSE(cluster_.at(3).held.has_value());
}

TEST_F(LosslessMoveTest, ANodeThatCannotHoldGetsTheGatewayAsEver) {
    cluster_.run(2, cluster_.at(2).node->set_macs(kGateway, {}, cluster_.now()));
    cluster_.pass(milliseconds(10));
    claim(2);
    EXPECT_FALSE(cluster_.at(1).left.has_value());
    EXPECT_FALSE(cluster_.at(2).held.has_value());
    EXPECT_FALSE(cluster_.gate_open(1)) << "at once";
    cluster_.pass(milliseconds(10));
    EXPECT_TRUE(cluster_.gate_open(2));
}

TEST_F(LosslessMoveTest, WhatIsWithinLeavesNoLongerThanTheLeaseLasts) {
    cluster_.mute_leases({1});
    cluster_.pass(milliseconds(299));
    ASSERT_TRUE(cluster_.gate_open(1));
    const TimePoint ends = cluster_.at(1).gate;
    ASSERT_LE(ends - cluster_.now(), milliseconds(1));
    cluster_.mute_leases({});
    claim(2);
    if (cluster_.at(1).left) {
        EXPECT_LE(cluster_.at(1).left->shut_at, ends);
    }
}

TEST_F(LosslessMoveTest, AThirdMoveAtOnceBeginsAsAnyOther) {
    claim(2);
    cluster_.pass(milliseconds(10));
    ASSERT_TRUE(cluster_.gate_open(2));
    ASSERT_TRUE(cluster_.begin_demote(2).has_value());
    cluster_.at(1).held.reset();
    cluster_.begin_promote(1);
    EXPECT_TRUE(cluster_.at(1).held.has_value()) << "which ends what it sends on";
    ASSERT_TRUE(cluster_.at(2).left.has_value());
    EXPECT_EQ(cluster_.at(2).left->to, FakeCluster::macs_of(1));
    cluster_.pass(milliseconds(10));
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_FALSE(cluster_.gate_open(2));
}

TEST_F(LosslessMoveTest, WhatIsHeldIsDroppedWithTheClaim) {
    cluster_.mute_leases({2});
    claim(2);
    ASSERT_TRUE(cluster_.at(2).held.has_value());
    cluster_.at(2).gate = TimePoint::max();  // A mark: whoever shuts it takes it away.
    ASSERT_TRUE(cluster_.begin_demote(2).has_value());
    cluster_.pass(milliseconds(10));
    EXPECT_EQ(cluster_.at(2).gate, TimePoint{});
}

TEST_F(LosslessMoveTest, AVpnhadThatDiesBetweenClaimAndOpeningLeavesNoGateOpen) {
    cluster_.lose_leases([](std::uint32_t from, const SendLease& sent) {
        const auto* const answer = std::get_if<lease::Answer>(&sent.message);
        return from == 1 && answer != nullptr && answer->handover.has_value();
    });
    claim(2);
    cluster_.pass(milliseconds(5));
    ASSERT_FALSE(cluster_.gate_open(2));
    cluster_.kill_process(2);
    cluster_.lose_leases({});
    EXPECT_FALSE(cluster_.gate_open(1));
    ASSERT_TRUE(cluster_.promote(3).has_value());
    EXPECT_TRUE(cluster_.gate_open(3));
    EXPECT_FALSE(cluster_.gate_open(1));
}

}  // namespace lossless_move_test
}  // namespace vpnha::node
