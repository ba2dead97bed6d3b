// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other: who is granted the lease, and what becomes of one that lapses.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "fake_cluster.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

constexpr std::uint16_t kManySessions = 200;

TEST(NodeLeaseTest, APromotionThatNoMajorityGrantsFailsAndSaysSo) {
    FakeCluster cluster(3);
    cluster.mute_leases({2, 3});
    const TimePoint began = cluster.now();
    const Result<void> answer = cluster.promote(1);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("grant: no majority of the voters"));
    EXPECT_LE(cluster.now() - began, std::chrono::milliseconds(2100)) << "as long as one is lame";
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(2).epoch().number, 0U);
}

TEST(NodeLeaseTest, APromotionThatNoNodeCouldBeGrantedWaitsForAVoter) {
    FakeCluster cluster(1);  // Of three voters.
    ASSERT_TRUE(cluster.promote(1).has_value()) << "stopped it would lose its sessions";
    const GatewayNode& gateway = *cluster.at(1).node->find(kGateway);
    EXPECT_TRUE(gateway.waits());
    EXPECT_THAT(cluster.at(1).log,
                Contains(AllOf(HasSubstr("event=waiting"), HasSubstr("missing=2,3"))).Times(1));
    EXPECT_TRUE(cluster.promote(1).has_value()) << "asked again";
    cluster.pass(std::chrono::minutes(1));
    EXPECT_TRUE(gateway.waits());
    EXPECT_FALSE(cluster.gate_open(1));
    cluster.start(2);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_FALSE(gateway.waits());
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeLeaseTest, AWaitingNodeThatIsDemotedIsAStandbyAgain) {
    FakeCluster cluster(1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.begin_demote(1).has_value()) << "a failure would have the node fenced";
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.at(1).node->find(kGateway)->waits());
}

TEST(NodeLeaseTest, AWaitingNodeGivesUpWhenAMajorityIsThereAndDoesNotGrant) {
    FakeCluster cluster(1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.mute_leases({2});
    cluster.start(2);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.at(1).node->find(kGateway)->waits()) << "who comes back abstains at first";
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(cluster.state(1), takeover::State::standby) << "Pacemaker's monitor finds out";
}

TEST(NodeLeaseTest, TheGateIsOpenForTheLeaseAndNoLonger) {
    FakeCluster cluster = with_one_session();
    EXPECT_TRUE(cluster.gate_open(1));
    cluster.pass(std::chrono::seconds(10));
    EXPECT_TRUE(cluster.gate_open(1)) << "renewed";
    cluster.mute_leases({2, 3});
    cluster.pass(std::chrono::milliseconds(400));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted) << "Pacemaker has not said otherwise";
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1)) << "claimed anew by itself";
    EXPECT_EQ(cluster.replica(1).epoch().number, 2U);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeLeaseTest, AHolderOfThePastDoesNotWinWhenTheLeaseOfThePresentOneLapses) {
    FakeCluster cluster = with_one_session();
    cluster.mute_leases({1});
    cluster.hold(true);  // It hears of nothing, as a paused machine does.
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::milliseconds(500));
    cluster.mute_leases({2});
    for (int ms = 0; ms < 1500; ++ms) {
        cluster.pass(std::chrono::milliseconds(1));
        ASSERT_FALSE(cluster.gate_open(1));
    }
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_THAT(cluster.at(1).log,
                Contains(HasSubstr("another node served in epoch 2.2 meanwhile")));
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    cluster.hold(false);
    EXPECT_TRUE(cluster.gate_open(2)) << "claimed anew by itself";
    EXPECT_EQ(cluster.replica(1).holder(), NodeId{2});
    EXPECT_EQ(state_of_only_session(cluster.at(2)), SessionState::resumed);
}

TEST(NodeLeaseTest, AHolderThatLosesItsQuorumGoesOnWhenVotesReturn) {
    FakeCluster cluster = with_one_session();
    cluster.kill(2);
    cluster.kill(3);
    cluster.pass(std::chrono::seconds(5));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted) << "Pacemaker freezes";
    cluster.start(3);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::complete);
    EXPECT_THAT(cluster.at(3).kernel, ElementsAre(session(1).key));
}

// More than speak in one turn.
FakeCluster with_many_sessions() {
    FakeCluster cluster = with_one_session();
    for (std::uint16_t number = 2; number <= kManySessions; ++number) {
        cluster.run(1, cluster.at(1).node->on_plugin_up(number + 10U, "l2tp", session(number), "",
                                                        cluster.now()));
    }
    return cluster;
}

TEST(NodeLeaseTest, ThousandsOfTunnelsSpeakInTurnsBesideTheLease) {
    FakeCluster cluster = with_many_sessions();
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    std::size_t said = cluster.at(2).datagrams.size();
    EXPECT_EQ(said, limits::kTunnelsPerTurn);
    while (said < kManySessions) {
        cluster.pass(limits::kTunnelTurn);
        const std::size_t more = cluster.at(2).datagrams.size() - said;
        ASSERT_THAT(more, AllOf(Ge(1U), Le(limits::kTunnelsPerTurn)));
        said += more;
    }
    cluster.pass(std::chrono::milliseconds(500));
    EXPECT_EQ(cluster.at(2).datagrams.size(), kManySessions) << "each once";
}

TEST(NodeLeaseTest, WhoseTurnHasNotComeStillTellsItsPeerThatItsSessionIsLost) {
    FakeCluster cluster = with_many_sessions();
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    const std::size_t said = cluster.at(2).datagrams.size();
    cluster.run(2, cluster.at(2).node->on_session_gone(kGateway, session(kManySessions).key,
                                                       cluster.now()));
    EXPECT_GT(cluster.at(2).datagrams.size(), said);
    cluster.pass(std::chrono::milliseconds(100));
    EXPECT_EQ(cluster.at(2).node->find(kGateway)->sessions().size(), kManySessions - 1U);
}

TEST(NodeLeaseTest, AnIsolatedHolderIsSilentBeforeAnotherIsGranted) {
    FakeCluster cluster = with_one_session();
    cluster.split({1});
    const RequestToken request = cluster.begin_promote(2);
    while (!cluster.at(2).answers.contains(request)) {
        EXPECT_FALSE(cluster.gate_open(1) && cluster.gate_open(2));
        cluster.pass(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(cluster.at(2).answers.at(request).has_value());
    EXPECT_FALSE(cluster.gate_open(1));
}

TEST(NodeLeaseTest, ADemotedHolderServesUntilItsSuccessorIsGranted) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    EXPECT_EQ(cluster.state(1), takeover::State::lame);
    EXPECT_TRUE(cluster.gate_open(1));
    const TimePoint began = cluster.now();
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_EQ(cluster.now(), began) << "no promise had to run out";
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(state_of_only_session(cluster.at(2)), SessionState::resumed);
}

TEST(NodeLeaseTest, ADemotedHolderWithoutASuccessorFallsSilentByItself) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.pass(std::chrono::milliseconds(1900));
    EXPECT_TRUE(cluster.gate_open(1));
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
}

}  // namespace
}  // namespace vpnha::node
