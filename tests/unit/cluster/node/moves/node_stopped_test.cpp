// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway whose resource is stopped on a node, or on all of them, and started again.
#include <gmock/gmock.h>

#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_stopped_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::array<std::uint32_t, 3> kAll{1, 2, 3};

class NodeStoppedTest : public CalmCluster {
  protected:
    const GatewayNode& gateway(std::uint32_t node) {
        return *cluster_.at(node).node->find(kGateway);
    }
    // As Pacemaker does when a parameter has changed: it demotes, and then stops all instances.
    void stop_everywhere() {
        ASSERT_TRUE(cluster_.begin_demote(1));
        for (const std::uint32_t node : {2U, 1U, 3U}) {
            ASSERT_TRUE(cluster_.detach(node));
        }
    }
    bool is_served() {
        return std::ranges::any_of(kAll, [this](auto node) { return cluster_.gate_open(node); });
    }
    // Until the drain, which nobody takes over, has ended.
    void fall_silent() { cluster_.pass(seconds(3)); }
};

TEST_F(NodeStoppedTest, WhatIsStoppedEverywhereFindsItsSessionsAgain) {
    stop_everywhere();
    fall_silent();
    EXPECT_FALSE(is_served());
    cluster_.pass(seconds(50));
    for (const std::uint32_t node : kAll) {
        EXPECT_FALSE(cluster_.at(node).detached) << node;
        EXPECT_EQ(state_of_only_session(cluster_.at(node)), keepers::SessionState::hot) << node;
        EXPECT_TRUE(gateway(node).cores().attachment.leaving()) << node;
    }
    for (const std::uint32_t node : kAll) {
        EXPECT_TRUE(cluster_.attach(node)) << node;
        EXPECT_FALSE(gateway(node).cores().attachment.leaving()) << node;
        EXPECT_EQ(gateway(node).view().standing(), wire::Level::complete) << node;
    }
    cluster_.pass(seconds(100));
    EXPECT_EQ(gateway(2).cores().keepers.session_totals().all, 1U) << "no time runs any more";
    ASSERT_TRUE(cluster_.promote(3));
    EXPECT_TRUE(cluster_.gate_open(3));
    EXPECT_EQ(gateway(3).cores().keepers.session_totals().all, 1U);
}

TEST_F(NodeStoppedTest, ARestartWithinTheDrainSilencesNobody) {
    stop_everywhere();
    for (int wait = 0; wait < 10; ++wait) {
        cluster_.pass(milliseconds(100));
        EXPECT_TRUE(cluster_.gate_open(1));
    }
    for (const std::uint32_t node : kAll) {
        ASSERT_TRUE(cluster_.attach(node));
    }
    EXPECT_TRUE(cluster_.gate_open(1));
    ASSERT_TRUE(cluster_.promote(1));
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_EQ(gateway(1).cores().replica.epoch(), (Epoch{1, NodeId{1}}))
        << "the lease was never given up";
}

TEST_F(NodeStoppedTest, AnotherNodeIsPromotedWithinTheDrain) {
    stop_everywhere();
    for (const std::uint32_t node : kAll) {
        ASSERT_TRUE(cluster_.attach(node));
    }
    ASSERT_TRUE(cluster_.promote(2));
    EXPECT_FALSE(cluster_.gate_open(1));
    EXPECT_TRUE(gateway(1).cores().attachment.attached());
    EXPECT_EQ(state_of_only_session(cluster_.at(1)), keepers::SessionState::hot);
}

TEST_F(NodeStoppedTest, AfterAMinuteItEnds) {
    stop_everywhere();
    fall_silent();
    cluster_.pass(kRecordsKept);
    for (const std::uint32_t node : kAll) {
        EXPECT_TRUE(cluster_.at(node).detached) << node;
        EXPECT_THAT(cluster_.at(node).kernel, IsEmpty()) << node;
        EXPECT_FALSE(cluster_.at(node).node->any_attached()) << node;
    }
}

TEST_F(NodeStoppedTest, OneStandbyAloneEndsSoonBecauseTheOthersHaveAll) {
    ASSERT_TRUE(cluster_.detach(2));
    cluster_.pass(kOthersHaveThem - milliseconds(100));
    EXPECT_FALSE(cluster_.at(2).detached);
    cluster_.pass(milliseconds(200));
    EXPECT_TRUE(cluster_.at(2).detached);
    EXPECT_EQ(state_of_only_session(cluster_.at(1)), keepers::SessionState::protected_);
}

TEST_F(NodeStoppedTest, TheLastOneKeepsWhatTheOthersHaveLost) {
    ASSERT_TRUE(cluster_.detach(2));
    ASSERT_TRUE(cluster_.detach(3));
    cluster_.pass(kOthersHaveThem + seconds(1));
    EXPECT_TRUE(cluster_.at(2).detached && cluster_.at(3).detached);
    ASSERT_TRUE(cluster_.detach(1));
    cluster_.pass(seconds(30));
    EXPECT_FALSE(cluster_.at(1).detached);
}

TEST_F(NodeStoppedTest, ANewVpnhadGetsItsRecordsFromOneThatIsStopped) {
    stop_everywhere();
    fall_silent();
    cluster_.kill_process(2);
    cluster_.kill_process(3);
    cluster_.start(2);
    cluster_.pass(seconds(2));
    EXPECT_EQ(gateway(2).cores().replica.level(), wire::Level::complete);
    EXPECT_TRUE(gateway(1).cores().attachment.leaving());
    ASSERT_TRUE(cluster_.promote(2));
    EXPECT_EQ(gateway(2).cores().keepers.session_totals().all, 1U);
    cluster_.pass(kOthersHaveThem + seconds(1));
    EXPECT_TRUE(cluster_.at(1).detached);
}

TEST_F(NodeStoppedTest, NobodyHasItWhileItIsStopped) {
    ASSERT_TRUE(cluster_.detach(2));
    EXPECT_EQ(gateway(2).view().standing(), wire::Level::partial);
    EXPECT_THAT(gateway(2).view().blockers(), Contains(HasSubstr("has stopped its resource")));
    const auto plan = gateway(1).moves().plan(NodeId{2});
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().detail, HasSubstr("not in sync"));
    cluster_.pass(seconds(2));
    EXPECT_THAT(scores(2), IsEmpty());
}

TEST_F(NodeStoppedTest, WithoutRecordsItEndsAtOnce) {
    cluster_.run(1, cluster_.at(1).node->on_plugin_down(7, cluster_.now()));
    cluster_.pass(seconds(1));
    ASSERT_TRUE(cluster_.detach(2));
    EXPECT_TRUE(cluster_.at(2).detached);
}

TEST_F(NodeStoppedTest, WhoseSuccessorServesKeepsNothing) {
    ASSERT_TRUE(cluster_.begin_demote(1));
    ASSERT_TRUE(cluster_.detach(1));
    ASSERT_TRUE(cluster_.promote(2));
    EXPECT_TRUE(cluster_.at(1).detached);
    EXPECT_THAT(cluster_.at(1).kernel, IsEmpty());
}

TEST_F(NodeStoppedTest, AGateThatCannotBeShutIsNotKept) {
    cluster_.at(1).failing.insert(takeover::Step::shut_gate);
    ASSERT_TRUE(cluster_.detach(1));
    ASSERT_TRUE(cluster_.detach(2));
    ASSERT_TRUE(cluster_.detach(3));
    fall_silent();
    EXPECT_TRUE(cluster_.at(1).detached) << "the end of vpnhad shuts it";
    EXPECT_FALSE(cluster_.at(2).detached);
}

TEST_F(NodeStoppedTest, TheEndOfVpnhadEndsIt) {
    ASSERT_TRUE(cluster_.detach(2));
    cluster_.run(2, cluster_.at(2).node->end_stopped(cluster_.now()));
    EXPECT_TRUE(cluster_.at(2).detached);
    EXPECT_THAT(cluster_.at(2).kernel, IsEmpty());
    cluster_.run(1, cluster_.at(1).node->end_stopped(cluster_.now()));
    EXPECT_FALSE(cluster_.at(1).detached) << "it is not stopped";
}

TEST_F(NodeStoppedTest, ASecondStopChangesNothing) {
    ASSERT_TRUE(cluster_.detach(2));
    cluster_.pass(seconds(4));
    ASSERT_TRUE(cluster_.detach(2));
    EXPECT_FALSE(cluster_.at(2).detached);
    cluster_.pass(milliseconds(1200));
    EXPECT_TRUE(cluster_.at(2).detached);
}

}  // namespace node_stopped_test
}  // namespace vpnha::node
