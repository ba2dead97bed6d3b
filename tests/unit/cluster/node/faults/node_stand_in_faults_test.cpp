// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other: a standby serves for a holder, and something else is wrong as well.
#include <gmock/gmock.h>

#include "protocols/l2tp/work.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_stand_in_faults_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A promise, the questions, and a bit.
constexpr Duration kStandInTime = milliseconds(363);

void dial(FakeCluster& cluster, std::uint32_t holder, std::uint16_t number) {
    cluster.run(holder, cluster.at(holder).node->on_plugin_up(
                            number, "l2tp", stock_session(session(number)), "", cluster.now()));
}

// Node 1 is promoted, and carries session 1. Of the others node 3 is the first to stand in for it.
FakeCluster standing_in_cluster(std::uint32_t nodes = 3) {
    FakeCluster cluster(nodes, nodes, true);
    EXPECT_TRUE(cluster.promote(1).has_value());
    dial(cluster, 1, 1);
    cluster.pass(seconds(15));
    return cluster;
}

std::size_t open_gates(FakeCluster& cluster, std::uint32_t nodes) {
    std::size_t open = 0;
    for (std::uint32_t node = 1; node <= nodes; ++node) {
        open += cluster.lives(node) && cluster.gate_open(node) ? 1U : 0U;
    }
    return open;
}

// C2 of the audit.
TEST(NodeStandInFaultsTest, WhoIsNotInTheVotersRingIsNotAgreedTo) {
    FakeCluster cluster = standing_in_cluster();
    cluster.hang_corosync(3);
    for (std::uint16_t number = 2; number <= 4; ++number) {
        dial(cluster, 1, number);
    }
    cluster.pass(seconds(4));
    ASSERT_EQ(cluster.replica(2).store().count(), 4U);
    ASSERT_EQ(cluster.replica(3).store().count(), 1U);
    cluster.lose_power(1);
    cluster.pass(milliseconds(600));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    cluster.wake_corosync(3);
    cluster.pass(seconds(2));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(cluster.replica(2).store().count(), 4U);
    EXPECT_EQ(cluster.replica(3).store().count(), 4U);
}

// S2 of the model: the node that was hung asks when it is in the ring again.
TEST(NodeStandInFaultsTest, WhoHasLessThanAVoterIsNotAgreedTo) {
    FakeCluster cluster = standing_in_cluster();
    // Node 3 hears neither the change nor that it has missed one.
    cluster.hang_corosync(3);
    dial(cluster, 1, 2);
    cluster.pass(milliseconds(100));
    cluster.hold(true);
    cluster.wake_corosync(3);
    cluster.lose_power(1);
    cluster.pass(milliseconds(350));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-asks")));
    cluster.pass(milliseconds(200));
    EXPECT_EQ(cluster.state(2), takeover::State::standing_in);
}

// The second half of the mend: also where the voters that know better were not asked.
TEST(NodeStandInFaultsTest, WhoComesFromAnotherRingClaimsNothingBeforeTheOthersHaveSpoken) {
    FakeCluster cluster = standing_in_cluster(5);
    cluster.hang_corosync(3);
    dial(cluster, 1, 2);
    cluster.pass(milliseconds(100));
    cluster.hold(true);
    cluster.wake_corosync(3);
    // The lease reaches nobody who has more: only hellos tell.
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        const auto* opinion = std::get_if<lease::Opinion>(&sent.message);
        return opinion != nullptr && from != 3 && opinion->verdict == lease::Verdict::behind;
    });
    cluster.lose_power(1);
    cluster.pass(milliseconds(700));
    cluster.form_ring();
    cluster.hold(false);
    cluster.pass(seconds(1));
    EXPECT_EQ(open_gates(cluster, 5), 1U);
    for (const std::uint32_t node : {2U, 3U, 4U, 5U}) {
        EXPECT_EQ(cluster.replica(node).store().count(), 2U) << node;
    }
}

// A kernel may refuse what it is still installing.
TEST(NodeStandInFaultsTest, WhoStillInstallsSessionsLeavesItToOthers) {
    FakeCluster cluster = standing_in_cluster();
    cluster.at(3).answers_installs = false;
    dial(cluster, 1, 2);
    cluster.pass(milliseconds(100));
    cluster.lose_power(1);
    cluster.pass(milliseconds(1000));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_THAT(cluster.at(3).log, Not(Contains(HasSubstr("event=stand-in-asks"))));
}

TEST(NodeStandInFaultsTest, WhoseKernelRefusesASessionMeanwhileTakesItsClaimBack) {
    FakeCluster cluster = standing_in_cluster();
    cluster.pass(milliseconds(100));
    cluster.stall_disks({3});  // The grant waits for it.
    cluster.lose_power(1);
    cluster.pass(milliseconds(450));
    ASSERT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-asks")));
    cluster.at(3).answers_installs = false;
    cluster.run(3,
                cluster.at(3).node->on_event(kGateway, SessionGone{session(1).key}, cluster.now()));
    cluster.stall_disks({});
    cluster.finish_saves(3);
    EXPECT_NE(cluster.state(3), takeover::State::standing_in);
    cluster.pass(seconds(1));
    EXPECT_TRUE(cluster.gate_open(2));
}

// C3, first schedule: the voters' quorate ring misses the holder for five seconds.
TEST(NodeStandInFaultsTest, AHolderWhoseCorosyncHangsHasASubstituteWhenItsLeaseEnds) {
    FakeCluster cluster = standing_in_cluster();
    cluster.hang_corosync(1);
    for (int step = 0; step < 670; ++step) {
        cluster.pass(milliseconds(100));
        if (open_gates(cluster, 3) == 0) {
            cluster.pass(milliseconds(600));
            ASSERT_EQ(open_gates(cluster, 3), 1U) << step;
        }
    }
    EXPECT_FALSE(cluster.gate_open(1));
}

// C3, second schedule: without quorum it may not claim anew.
TEST(NodeStandInFaultsTest, AHolderThatLapsesWithoutARingHasASubstitute) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(1, cluster.at(1).node->on_members({NodeId{1}}, false, cluster.now()));
    cluster.hang_corosync(1);
    cluster.mute_leases({1});
    cluster.pass(milliseconds(350));
    cluster.mute_leases({});
    cluster.pass(seconds(1));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(open_gates(cluster, 3), 1U);
}

// C4: it is cut off for longer than it may be without a ring.
TEST(NodeStandInFaultsTest, WhoeverEndsStandingInLeavesTheOthersFree) {
    FakeCluster cluster = standing_in_cluster();
    cluster.lose_power(1);
    cluster.form_ring();
    cluster.pass(seconds(60));
    ASSERT_TRUE(cluster.gate_open(3));
    cluster.split({3});
    cluster.pass(milliseconds(2500));
    cluster.heal();
    cluster.pass(seconds(1));
    EXPECT_EQ(open_gates(cluster, 3), 1U);
}

// C4: a claim in vain is no obstacle for good.
TEST(NodeStandInFaultsTest, WhoHasClaimedInVainTriesAgain) {
    FakeCluster cluster = standing_in_cluster();
    cluster.lose_leases([](std::uint32_t, const SendLease& sent) {
        return std::holds_alternative<lease::Answer>(sent.message);
    });
    cluster.lose_power(1);
    cluster.form_ring();
    cluster.pass(seconds(5));
    ASSERT_EQ(open_gates(cluster, 3), 0U);
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-refused")));
    cluster.lose_leases({});
    cluster.pass(seconds(3));
    EXPECT_EQ(open_gates(cluster, 3), 1U);
}

// Its own disk takes 0.4 s for the claim, and the voters' disks as long for their grants.
TEST(NodeStandInFaultsTest, WhoseClaimWaitsForEachDiskInTurnIsGrantedIt) {
    FakeCluster cluster = standing_in_cluster();
    cluster.stall_disks({2, 3});
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    ASSERT_EQ(cluster.at(3).saving.size(), 1U);
    cluster.pass(milliseconds(400));
    cluster.finish_saves(3);
    ASSERT_EQ(cluster.at(2).saving.size(), 1U);
    cluster.pass(milliseconds(400));
    cluster.finish_saves(2);
    cluster.pass(milliseconds(20));
    EXPECT_THAT(cluster.at(3).log, Not(Contains(HasSubstr("event=stand-in-refused"))));
    EXPECT_TRUE(cluster.gate_open(3));
}

// A holder that has lapsed is granted the lease anew: who claimed it meanwhile never had it.
TEST(NodeStandInFaultsTest, AClaimThatWasGivenUpIsNoServiceOfAnotherNode) {
    FakeCluster cluster = standing_in_cluster();
    const auto is_opinion = [](const SendLease& sent) {
        return std::holds_alternative<lease::Opinion>(sent.message);
    };
    cluster.lose_leases([&](std::uint32_t, const SendLease& sent) {
        const bool is_answer = std::holds_alternative<lease::Answer>(sent.message);
        return sent.to == NodeId{1} || is_answer || (is_opinion(sent) && sent.to == NodeId{2});
    });
    cluster.pass(milliseconds(2300));
    ASSERT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-refused")));
    ASSERT_EQ(open_gates(cluster, 3), 0U);
    cluster.lose_leases([&](std::uint32_t, const SendLease& sent) { return is_opinion(sent); });
    cluster.pass(seconds(2));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_THAT(cluster.at(1).log, Not(Contains(HasSubstr("is of no use"))));
}

// The lease of who stands in never gets to node 4, and only node 4 may stand in for it.
TEST(NodeStandInFaultsTest, WhoHasMissedAllRoundsOfAnEpochMayStandIn) {
    FakeCluster cluster = standing_in_cluster(5);
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        const bool is_opinion = std::holds_alternative<lease::Opinion>(sent.message);
        return (from == 3 && sent.to == NodeId{4}) ||
               (is_opinion && (sent.to == NodeId{2} || sent.to == NodeId{5}));
    });
    cluster.lose_power(1);
    cluster.form_ring();
    cluster.pass(seconds(3));
    ASSERT_TRUE(cluster.gate_open(3));
    ASSERT_LT(cluster.lease(4).voter().granted(), cluster.replica(4).epoch());
    cluster.lose_power(3);
    cluster.form_ring();
    cluster.pass(seconds(1));
    EXPECT_TRUE(cluster.gate_open(4));
}

// C5: after standing in that Pacemaker has confirmed the ranks are what they were.
TEST(NodeStandInFaultsTest, AfterAFalseAlarmTheNextDeathIsNoLongerThanTheFirst) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(kStandInTime);
    cluster.mute_leases({});
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(3).has_value());
    cluster.pass(seconds(3));
    cluster.hold(true);
    cluster.lose_power(3);
    cluster.pass(kStandInTime + milliseconds(100));
    EXPECT_EQ(open_gates(cluster, 2), 1U);
}

// C5: five nodes, and who stands in dies while it is no more than that.
TEST(NodeStandInFaultsTest, WhenWhoActsDiesTheRanksHold) {
    FakeCluster cluster = standing_in_cluster(5);
    cluster.lose_power(1);
    cluster.form_ring();
    cluster.pass(seconds(2));
    ASSERT_TRUE(cluster.gate_open(3));
    cluster.hold(true);
    cluster.lose_power(3);
    cluster.pass(kStandInTime + milliseconds(100));
    EXPECT_EQ(open_gates(cluster, 5), 1U);
}

// C7: a question teaches the newer list.
TEST(NodeStandInFaultsTest, WhoIsAskedByANewerListLearnsIt) {
    FakeCluster cluster(4, 3, true);
    ASSERT_TRUE(cluster.promote(1).has_value());
    dial(cluster, 1, 1);
    cluster.pass(seconds(15));
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 1 && sent.to == NodeId{3};
    });
    const std::vector<NodeId> four{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}};
    for (const std::uint32_t node : {1U, 2U, 3U, 4U}) {
        cluster.run(node, cluster.at(node).node->set_voters(four, cluster.now()));
    }
    cluster.pass(milliseconds(150));
    ASSERT_EQ(cluster.lease(2).state().voters.newest().nodes.size(), 4U);
    ASSERT_EQ(cluster.lease(3).state().voters.newest().nodes.size(), 3U);
    cluster.lose_leases({});
    cluster.lose_power(1);
    cluster.pass(seconds(2));
    EXPECT_EQ(open_gates(cluster, 4), 1U);
}

// S1: the Release is lost on its way to one standby.
TEST(NodeStandInFaultsTest, AnOrderThatOneNodeHasMissedIsAnOrderAllTheSame) {
    FakeCluster cluster = standing_in_cluster();
    cluster.lose_leases([](std::uint32_t, const SendLease& sent) {
        return sent.to == NodeId{3} && std::holds_alternative<lease::Release>(sent.message);
    });
    cluster.hold(true);
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.pass(seconds(10));
    EXPECT_EQ(open_gates(cluster, 3), 0U);
    EXPECT_TRUE(cluster.lease(3).voter().ended_by_order({})) << "a voter has told it";
}

// A voter that has missed all rounds of the newest epoch remembers an order of the one before.
TEST(NodeStandInFaultsTest, AnOrderOfAnEpochBeforeIsNone) {
    FakeCluster cluster = standing_in_cluster();
    ASSERT_TRUE(cluster.demote(1).has_value());
    cluster.pass(seconds(3));
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 1 && sent.to == NodeId{2};
    });
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(5));
    ASSERT_TRUE(cluster.lease(2).voter().ended_by_order({}));
    ASSERT_TRUE(cluster.gate_open(1));
    cluster.lose_leases({});
    cluster.lose_power(1);
    cluster.pass(seconds(1));
    EXPECT_EQ(open_gates(cluster, 3), 1U);
}

// A holder that hears no answers repeats its claims, and each answer renews a promise.
TEST(NodeStandInFaultsTest, AHolderThatReceivesNoAnswersKeepsNobodyOutForLong) {
    FakeCluster cluster = standing_in_cluster();
    cluster.lose_leases([](std::uint32_t, const SendLease& sent) { return sent.to == NodeId{1}; });
    cluster.pass(milliseconds(300));
    EXPECT_EQ(open_gates(cluster, 3), 0U);
    cluster.pass(milliseconds(650));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(open_gates(cluster, 3), 1U);
}

// A promotion of that node, while messages are kept back, and after it.
void expect_to_wait_for_messages(FakeCluster& cluster, std::uint32_t node) {
    const RequestToken request = cluster.begin_promote(node);
    EXPECT_THAT(cluster.at(node).log, Contains(HasSubstr("event=promotion-waits")));
    cluster.pass(seconds(5));
    EXPECT_FALSE(cluster.at(node).answers.contains(request));
    EXPECT_FALSE(cluster.gate_open(node));
    cluster.hold(false);
    cluster.pass(seconds(3));
    ASSERT_TRUE(cluster.at(node).answers.contains(request));
    EXPECT_TRUE(cluster.at(node).answers.at(request).has_value());
    EXPECT_TRUE(cluster.gate_open(node));
}

// Case 01, without standing in.
TEST(PromoteWhileIncompleteTest, APromotionWaitsForTheReplicaThatAMemberHas) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    for (std::uint16_t number = 1; number <= 20; ++number) {
        dial(cluster, 1, number);
    }
    cluster.kill(2);
    cluster.pass(seconds(2));
    cluster.start(2);
    cluster.run(2, cluster.at(2).node->resync(900, kGateway, cluster.now()));
    cluster.hold(true);  // The snapshot is on its way.
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.run(2, cluster.at(2).node->resync(901, kGateway, cluster.now()));
    ASSERT_NE(cluster.replica(2).level(), wire::Level::complete);
    expect_to_wait_for_messages(cluster, 2);
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_EQ(cluster.replica(node).store().count(), 20U) << node;
    }
}

// The hellos come late, as behind the snapshot of another gateway.
TEST(PromoteWhileIncompleteTest, APromotionWaitsForMembersThatHaveNotReportedWhatTheyHave) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    dial(cluster, 1, 1);
    cluster.pass(seconds(2));
    ASSERT_TRUE(cluster.demote(1).has_value());
    cluster.kill(2);
    cluster.pass(seconds(2));
    cluster.hold(true);
    cluster.start(2);
    cluster.pass(seconds(2));
    expect_to_wait_for_messages(cluster, 2);
    EXPECT_EQ(cluster.replica(2).store().count(), 1U);
}

TEST(PromoteWhileIncompleteTest, AMemberThatReportsNothingDoesNotPreventAPromotion) {
    FakeCluster cluster(3);
    cluster.hold(true);
    cluster.kill(2);
    cluster.start(2);
    cluster.pass(seconds(2));
    const RequestToken request = cluster.begin_promote(2);
    cluster.pass(seconds(14));
    EXPECT_FALSE(cluster.at(2).answers.contains(request));
    cluster.pass(seconds(3));
    ASSERT_TRUE(cluster.at(2).answers.contains(request));
    EXPECT_TRUE(cluster.at(2).answers.at(request).has_value());
}

TEST(PromoteWhileIncompleteTest, APromotionIsRefusedWhereTheReplicaDoesNotCome) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    dial(cluster, 1, 1);
    cluster.pass(seconds(2));
    cluster.hold(true);
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.run(2, cluster.at(2).node->resync(900, kGateway, cluster.now()));
    const RequestToken request = cluster.begin_promote(2);
    cluster.pass(seconds(16));
    ASSERT_TRUE(cluster.at(2).answers.contains(request));
    EXPECT_THAT(cluster.at(2).answers.at(request).error().detail,
                HasSubstr("its replica is not complete, and that of node"));
    EXPECT_THAT(cluster.at(2).log, Not(Contains(HasSubstr("event=claimed"))));
}

TEST(PromoteWhileIncompleteTest, WhereNobodyIsCompleteAPromotionDoesNotWait) {
    FakeCluster cluster(3);
    EXPECT_TRUE(cluster.promote(2).has_value()) << "a cold start";
    EXPECT_THAT(cluster.at(2).log, Not(Contains(HasSubstr("event=promotion-waits"))));
}

// Case 01 (a2): the complete replica was out of reach when the others promoted an empty one.
TEST(PromoteWhileIncompleteTest, WhoComesLateWithMoreNamesTheSessionsThatItLoses) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    dial(cluster, 1, 1);
    dial(cluster, 1, 2);
    cluster.pass(seconds(2));
    cluster.split({3});
    cluster.kill(1);
    cluster.kill(2);
    cluster.start(1);
    cluster.start(2);
    cluster.pass(seconds(2));
    ASSERT_TRUE(cluster.promote(2).has_value());
    dial(cluster, 2, 2);
    ASSERT_EQ(cluster.replica(3).store().count(), 2U);
    cluster.heal();
    cluster.pass(seconds(2));
    EXPECT_EQ(cluster.replica(3).store().count(), 1U);
    EXPECT_THAT(cluster.at(3).log,
                Contains(HasSubstr("this node removes 1 sessions, because node 2 was promoted "
                                   "without them")));
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=lost")));
}

}  // namespace node_stand_in_faults_test
}  // namespace vpnha::node
