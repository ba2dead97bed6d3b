// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other: a standby serves for a holder that is not heard.
#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "sample_session.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::node {
namespace node_stand_in_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A promise, the questions, and a bit.
constexpr Duration kStandInTime = milliseconds(363);

// Node 1 is promoted, and carries session 1. Of the others node 3 is the first to stand in for it.
FakeCluster standing_in_cluster(std::uint32_t nodes = 3) {
    FakeCluster cluster(nodes, std::max(nodes, 3U), true);
    EXPECT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    cluster.pass(seconds(2));
    return cluster;
}

// Its power is cut, and no ring has formed yet.
FakeCluster without_ring() {
    FakeCluster cluster = standing_in_cluster();
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    return cluster;
}

const GatewayNode& gateway(FakeCluster& cluster, std::uint32_t node) {
    return *cluster.at(node).node->find(kGateway);
}

TEST(NodeStandInTest, AStandbyServesBeforeTheRingForms) {
    FakeCluster cluster = without_ring();
    EXPECT_EQ(cluster.state(3), takeover::State::standing_in);
    EXPECT_TRUE(cluster.gate_open(3));
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    EXPECT_TRUE(gateway(cluster, 3).view().serves());
    EXPECT_FALSE(gateway(cluster, 3).view().is_promoted()) << "Pacemaker knows of nothing";
    EXPECT_FALSE(cluster.replica(3).promoted()) << "it follows the old epoch";
    EXPECT_THAT(cluster.at(3).steps,
                ElementsAre(takeover::Step::add_addresses, takeover::Step::open_gate,
                            takeover::Step::announce));
    EXPECT_THAT(cluster.at(3).datagrams, IsEmpty()) << "resumed tunnels wait";
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
    EXPECT_FALSE(gateway(cluster, 2).view().stands_in());
}

// Its Corosync died: no member learns that it has left, and its machine answers echoes.
TEST(NodeStandInTest, TheEndOfVpnhadReleasesItsLeaseAndAStandbyServesAtOnce) {
    FakeCluster cluster = standing_in_cluster();
    cluster.answer_echoes({1});
    cluster.hold(true);
    cluster.run(1, cluster.at(1).node->release_leases(cluster.now()));
    EXPECT_FALSE(cluster.gate_open(1)) << "before another node serves";
    cluster.lose_power(1);
    cluster.pass(milliseconds(100));
    EXPECT_EQ(cluster.state(3), takeover::State::standing_in);
    EXPECT_TRUE(cluster.gate_open(3));
    cluster.form_ring();
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
}

TEST(NodeStandInTest, TheEndOfVpnhadOfAStandbyChangesNothing) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(2, cluster.at(2).node->release_leases(cluster.now()));
    cluster.kill(2);
    cluster.pass(seconds(2));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
}

TEST(NodeStandInTest, KeepersKnowThatTheGateIsOpenBeforeTheRingForms) {
    FakeCluster cluster(3, 3, true);
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.kill(node);
    }
    cluster.have_wireguard();
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.start(node);
    }
    ASSERT_TRUE(cluster.promote(1).has_value());
    const std::vector<wireguard::Peer> peers{wireguard::test::sample_peer(1)};
    cluster.run(1, cluster.at(1).node->on_event(kGateway, PeersLoaded{peers}, cluster.now()));
    cluster.pass(seconds(2));
    cluster.hold(true);
    cluster.lose_power(1);
    const auto count = [&cluster]<class Work>(std::type_identity<Work>) {
        return std::ranges::count_if(cluster.at(3).wireguard, [](const WireguardWork& each) {
            return std::holds_alternative<Work>(each);
        });
    };
    constexpr std::type_identity<UseVip> kUseVip;
    constexpr std::type_identity<SetKeepalives> kShakeHands;
    cluster.at(3).lasting = takeover::Step::open_gate;
    EXPECT_EQ(count(kUseVip), 0);
    cluster.pass(kStandInTime);
    EXPECT_EQ(count(kUseVip), 1) << "before its gate is open";
    EXPECT_EQ(count(kShakeHands), 0);
    cluster.finish_step(3);
    ASSERT_EQ(cluster.state(3), takeover::State::standing_in);
    EXPECT_EQ(count(kShakeHands), 1);
    cluster.form_ring();
    ASSERT_EQ(cluster.state(3), takeover::State::promoted);
    EXPECT_EQ(count(kUseVip), 1) << "once";
    EXPECT_EQ(count(kShakeHands), 1) << "once";
}

TEST(NodeStandInTest, WithoutTheKeyNobodyStandsIn) {
    FakeCluster cluster = with_one_session();
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(seconds(10));
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_THAT(cluster.at(2).log, Not(Contains(HasSubstr("event=stand-in"))));
}

TEST(NodeStandInTest, ItClaimsInARingWithoutTheOldHolder) {
    FakeCluster cluster = without_ring();
    cluster.form_ring();
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
    EXPECT_TRUE(cluster.replica(3).promoted());
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    EXPECT_EQ(state_of_only_session(cluster.at(3)), keepers::SessionState::unprotected);
    EXPECT_THAT(cluster.at(3).datagrams, Not(IsEmpty()));
    cluster.hold(false);
    EXPECT_EQ(cluster.replica(2).holder(), NodeId{3});
    EXPECT_EQ(state_of_only_session(cluster.at(3)), keepers::SessionState::resumed);
}

// Its rounds are not heard; Corosync still lists it.
FakeCluster with_a_late_holder(std::set<std::uint32_t> living) {
    FakeCluster cluster = standing_in_cluster();
    cluster.answer_echoes(std::move(living));
    cluster.mute_leases({1});
    return cluster;
}

TEST(NodeStandInTest, AMachineThatIsAliveIsWaitedFor) {
    FakeCluster cluster = with_a_late_holder({1});
    cluster.pass(milliseconds(900));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_GT(cluster.at(3).echoes_asked, 3);
    EXPECT_THAT(cluster.at(3).log, Not(Contains(HasSubstr("event=stand-in-asks"))));
    cluster.mute_leases({});
    cluster.pass(seconds(2));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_THAT(cluster.at(3).reports, IsEmpty()) << "Pacemaker is told nothing";
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
}

TEST(NodeStandInTest, AMachineThatIsAliveIsNotWaitedForForEver) {
    FakeCluster cluster = with_a_late_holder({1});
    cluster.pass(milliseconds(1200));
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
}

TEST(NodeStandInTest, AMachineWhoseAnswersStopIsNotWaitedForAnyMore) {
    FakeCluster cluster = with_a_late_holder({1});
    cluster.pass(milliseconds(600));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    cluster.answer_echoes({});
    cluster.pass(milliseconds(300));
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
}

// Corosync has said so: no round comes any more, however alive its machine is.
TEST(NodeStandInTest, AVpnhadThatHasDiedIsNotWaitedFor) {
    FakeCluster cluster = with_a_late_holder({1});
    for (const std::uint32_t node : {2U, 3U}) {
        cluster.run(node, cluster.at(node).node->on_process_died(NodeId{1}, cluster.now()));
    }
    cluster.pass(kStandInTime);
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
}

TEST(NodeStandInTest, ItClaimsBehindItsBarrier) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(kStandInTime);
    // The ring stands, with a holder that nobody hears: the barrier comes back at once.
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
    EXPECT_EQ(cluster.replica(2).holder(), NodeId{3});
}

TEST(NodeStandInTest, WhatTheOldHolderReportedIsTakenUpBeforeTheClaim) {
    FakeCluster cluster = standing_in_cluster();
    cluster.hold(true);
    cluster.run(1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    EXPECT_TRUE(cluster.gate_open(3));
    EXPECT_EQ(gateway(cluster, 3).cores().keepers.sessions().size(), 1U);
    cluster.hold(false);  // What was said in the old ring is delivered, the barrier behind it.
    EXPECT_TRUE(cluster.replica(3).promoted());
    EXPECT_EQ(gateway(cluster, 3).cores().keepers.sessions().size(), 2U);
    EXPECT_TRUE(cluster.at(3).kernel.contains(session(2).key));
}

TEST(NodeStandInTest, PacemakersPromotionIsAnsweredAtOnce) {
    FakeCluster cluster = without_ring();
    const RequestToken before = cluster.begin_promote(3);
    ASSERT_TRUE(cluster.at(3).answers.contains(before));
    EXPECT_TRUE(cluster.at(3).answers.at(before).has_value());
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());
    EXPECT_TRUE(gateway(cluster, 3).view().is_promoted());
    cluster.form_ring();
    cluster.hold(false);
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);

    FakeCluster later = without_ring();
    later.form_ring();
    later.hold(false);
    const RequestToken after = later.begin_promote(3);
    ASSERT_TRUE(later.at(3).answers.contains(after));
    EXPECT_TRUE(later.at(3).answers.at(after).has_value());
    EXPECT_TRUE(gateway(later, 3).view().is_promoted());
    EXPECT_EQ(later.lease(3).state().yields, lease::Yields::no);
    later.pass(seconds(5));
    EXPECT_EQ(later.at(3).scores.back(), kScoreComplete + kScorePromoted);
}

TEST(NodeStandInTest, PromotedElsewhereItHandsOver) {
    FakeCluster cluster = without_ring();
    cluster.form_ring();
    cluster.hold(false);
    const TimePoint began = cluster.now();
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_LE(cluster.now() - began, milliseconds(10));
    EXPECT_FALSE(cluster.gate_open(3));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());
    EXPECT_FALSE(gateway(cluster, 3).view().is_promoted());
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::resumed);
}

TEST(NodeStandInTest, ADemotionEndsIt) {
    FakeCluster cluster = without_ring();
    EXPECT_TRUE(cluster.begin_demote(3).has_value());
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(3));
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());

    FakeCluster notified = without_ring();
    notified.form_ring();
    notified.hold(false);
    EXPECT_TRUE(notified.demote(3).has_value());
    EXPECT_FALSE(notified.gate_open(3));
    notified.pass(seconds(20));
    EXPECT_FALSE(notified.gate_open(2)) << "who was released has no successor but Pacemaker's";
}

TEST(NodeStandInTest, AStopEndsIt) {
    FakeCluster cluster = without_ring();
    EXPECT_TRUE(cluster.detach(3).has_value());
    EXPECT_TRUE(cluster.at(3).detached);
    EXPECT_FALSE(cluster.gate_open(3));
}

TEST(NodeStandInTest, WithoutARingItReleasesAfterTwoSeconds) {
    FakeCluster cluster = without_ring();
    cluster.pass(seconds(2));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(3));
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-ended")));
    cluster.pass(milliseconds(300));
    EXPECT_TRUE(cluster.gate_open(2)) << "nobody has ordered that end";
}

TEST(NodeStandInTest, AnAdministratorEndsIt) {
    FakeCluster cluster = without_ring();
    cluster.form_ring();
    cluster.hold(false);
    cluster.run(3, cluster.at(3).node->stop_standing_in(900, kGateway, cluster.now()));
    EXPECT_TRUE(cluster.at(3).answers.at(900).has_value());
    EXPECT_FALSE(cluster.gate_open(3));
    cluster.run(3, cluster.at(3).node->stop_standing_in(901, kGateway, cluster.now()));
    EXPECT_FALSE(cluster.at(3).answers.at(901).has_value());
}

TEST(NodeStandInTest, AHolderThatOneNodeDoesNotReceiveIsLeftAlone) {
    FakeCluster cluster = standing_in_cluster();
    const Epoch epoch = cluster.replica(1).epoch();
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 1 && sent.to == NodeId{3};
    });
    cluster.pass(seconds(5));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(2).epoch(), epoch);
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-asks")));
    EXPECT_EQ(cluster.lease(3).holder().epoch().number, 0U) << "no number was used up";
}

TEST(NodeStandInTest, OfTwoVotersNobodyStandsIn) {
    FakeCluster cluster(2, 2, true);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(2));
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(seconds(5));
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
    EXPECT_THAT(cluster.at(2).log, Not(Contains(HasSubstr("event=stand-in"))));
}

TEST(NodeStandInTest, AStandbyThatMissesALinkIsNoCandidate) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(3,
                cluster.at(3).node->on_carrier(kGateway, LinkSide::outside, false, cluster.now()));
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_EQ(cluster.state(2), takeover::State::standing_in) << "the first one that can";
}

TEST(NodeStandInTest, WhenTheFirstOneIsDeadTheNextOneStandsIn) {
    FakeCluster cluster = standing_in_cluster(5);
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.lose_power(3);
    cluster.pass(kStandInTime);
    EXPECT_EQ(cluster.state(4), takeover::State::standby);
    cluster.pass(milliseconds(100));
    EXPECT_EQ(cluster.state(4), takeover::State::standing_in);
    EXPECT_EQ(cluster.state(5), takeover::State::standby);
}

TEST(NodeStandInTest, ThePromotedNodeIsWithdrawnOnceAndReportsPromotedUntilItsDemotion) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(seconds(3));
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    std::vector<std::string> reports = cluster.at(2).reports;
    reports.insert(reports.end(), cluster.at(3).reports.begin(), cluster.at(3).reports.end());
    EXPECT_THAT(reports, ElementsAre("score of checkpoint at gw1"));
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(gateway(cluster, 1).view().is_promoted()) << "Pacemaker would count a failure";
    EXPECT_TRUE(cluster.begin_demote(1).has_value());
    EXPECT_FALSE(gateway(cluster, 1).view().is_promoted());
}

TEST(NodeStandInTest, TheDeathOfAHoldersVpnhadIsReportedOnce) {
    FakeCluster cluster = standing_in_cluster();
    cluster.kill_process(1);
    cluster.pass(kStandInTime);
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    cluster.start(1);  // By keep-vpnhad: who stands in finds the node a member.
    cluster.pass(seconds(4));
    EXPECT_THAT(cluster.at(2).reports, ElementsAre("score of checkpoint at gw1"));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeStandInTest, WhenAServiceDiesTheFirstInRankClaimsAtOnce) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(1, cluster.at(1).node->on_service_died(kGateway, "xl2tpd", cluster.now()));
    cluster.pass(milliseconds(50));
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(gateway(cluster, 1).view().is_promoted()) << "Pacemaker would count a failure";
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    EXPECT_TRUE(cluster.gate_open(3));
    EXPECT_FALSE(gateway(cluster, 2).view().stands_in());
    EXPECT_TRUE(cluster.begin_demote(1).has_value());
    EXPECT_TRUE(cluster.promote(3).has_value());
    cluster.pass(seconds(1));
    EXPECT_EQ(cluster.state(3), takeover::State::promoted);
    EXPECT_TRUE(cluster.gate_open(3));
    EXPECT_EQ(cluster.replica(1).level(), wire::Level::complete);
}

// Clients get no answer on that side, so nobody waits for Pacemaker.
TEST(NodeStandInTest, WhenALinkIsLostTheFirstInRankWithGoodLinksClaimsAtOnce) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(3,
                cluster.at(3).node->on_carrier(kGateway, LinkSide::inside, false, cluster.now()));
    cluster.run(1,
                cluster.at(1).node->on_carrier(kGateway, LinkSide::outside, false, cluster.now()));
    cluster.pass(milliseconds(190));
    EXPECT_TRUE(cluster.gate_open(1)) << "the standbys may lose theirs, too";
    cluster.pass(milliseconds(60));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(gateway(cluster, 2).view().stands_in());
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in()) << "it has lost a link as well";
    EXPECT_TRUE(cluster.begin_demote(1).has_value());
    EXPECT_TRUE(cluster.promote(2).has_value());
    cluster.pass(seconds(1));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(cluster.replica(1).level(), wire::Level::complete);
}

// Nobody would grant it anything: the next one does not wait for its turn, and no role moves there.
TEST(NodeStandInTest, WhoseClockIsAstrayLeavesItToTheNext) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run_at_rate(3, 1.03);
    cluster.pass(seconds(45));
    EXPECT_TRUE(gateway(cluster, 3).cores().lease.own_clock_astray());
    EXPECT_FALSE(gateway(cluster, 2).cores().lease.own_clock_astray());
    EXPECT_EQ(cluster.at(3).scores.back(), kScoreEmpty);
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=clock-rate")));
    EXPECT_TRUE(cluster.gate_open(1)) << "a voter answers the holder whatever its clock does";
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(seconds(1));
    EXPECT_THAT(cluster.at(3).log, Not(Contains(HasSubstr("event=stand-in-asks"))));
}

// Pacemaker has not moved the role, and nobody has claimed the lease.
TEST(NodeStandInTest, WhoseLinkIsBackYieldsNoMore) {
    FakeCluster cluster = standing_in_cluster();
    const auto lose_claims = [](std::uint32_t, const SendLease& sent) {
        const auto* const round = std::get_if<lease::Round>(&sent.message);
        return round != nullptr && !round->held;
    };
    cluster.lose_leases(lose_claims);
    cluster.run(1,
                cluster.at(1).node->on_carrier(kGateway, LinkSide::outside, false, cluster.now()));
    cluster.pass(milliseconds(250));
    ASSERT_EQ(cluster.lease(1).state().yields, lease::Yields::to_anybody);
    cluster.run(1,
                cluster.at(1).node->on_carrier(kGateway, LinkSide::outside, true, cluster.now()));
    cluster.pass(seconds(62));
    EXPECT_EQ(cluster.lease(1).state().yields, lease::Yields::no);
    EXPECT_TRUE(cluster.gate_open(1));
}

// The clock of the node that serves is astray: it gives the role away, as a planned move.
TEST(NodeStandInTest, AHolderWhoseClockIsAstrayHandsOver) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run_at_rate(1, 0.97);
    cluster.pass(seconds(45));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreEmpty);
    EXPECT_TRUE(cluster.gate_open(1));
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_TRUE(cluster.gate_open(2)) << "in one round trip";
    EXPECT_FALSE(cluster.gate_open(1));
}

TEST(NodeStandInTest, ADeposedNodeWithdrawsItsOwnScore) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(seconds(3));
    EXPECT_THAT(cluster.at(1).reports, ElementsAre("score of checkpoint at gw1"));
}

TEST(NodeStandInTest, ADeposedNodeThatNobodyDemotesReportsItsRoleAfterAWhile) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(seconds(12));
    EXPECT_FALSE(gateway(cluster, 1).view().is_promoted());
}

TEST(NodeStandInTest, ADeposedNodeStandsInWhereNobodyElseCan) {
    FakeCluster cluster = standing_in_cluster();
    cluster.run(2,
                cluster.at(2).node->on_carrier(kGateway, LinkSide::inside, false, cluster.now()));
    cluster.mute_leases({1});
    cluster.pass(seconds(1));
    ASSERT_TRUE(gateway(cluster, 3).view().stands_in());
    ASSERT_TRUE(gateway(cluster, 1).view().stand_in().deposed());
    cluster.mute_leases({3});
    cluster.pass(seconds(3));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_TRUE(gateway(cluster, 1).view().is_promoted()) << "Pacemaker has not demoted it";
}

TEST(NodeStandInTest, AnOldHolderThatFollowsMayHaveItBack) {
    FakeCluster cluster = standing_in_cluster();
    cluster.mute_leases({1});
    cluster.pass(kStandInTime);
    EXPECT_TRUE(gateway(cluster, 3).view().stands_in());
    cluster.mute_leases({});
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.pass(milliseconds(300));
    EXPECT_EQ(cluster.lease(3).state().yields_not_to, NodeId{1}) << "an old claim of it may come";
    cluster.pass(seconds(1));
    EXPECT_EQ(cluster.lease(3).state().yields_not_to, std::nullopt);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());
}

TEST(NodeStandInTest, AfterTenSecondsWithoutPacemakerTheLogReportsSo) {
    FakeCluster cluster = without_ring();
    cluster.form_ring();
    cluster.hold(false);
    cluster.pass(seconds(30));
    EXPECT_TRUE(cluster.gate_open(3)) << "it serves without limit";
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=stand-in-long")).Times(1));
    ASSERT_EQ(cluster.at(3).scores.size(), 3U) << "another node may have withdrawn it";
    EXPECT_EQ(cluster.at(3).scores[2], cluster.at(3).scores[1]) << "scores stand still";
}

TEST(NodeStandInTest, TheFirstInRankHasTheBetterScoreInCalmTimes) {
    FakeCluster cluster = standing_in_cluster();
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete + kScorePromoted);
    EXPECT_EQ(cluster.at(2).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.at(3).scores.back(), kScoreComplete + kScoreFirstToStandIn);
}

TEST(NodeStandInTest, WhoseLeaseEndsBeforeTheGroupIsNotifiedReleases) {
    FakeCluster cluster = without_ring();
    cluster.mute_leases({2});
    cluster.pass(milliseconds(400));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());
}

TEST(NodeStandInTest, AStepThatFailsEndsIt) {
    FakeCluster cluster = standing_in_cluster();
    cluster.at(3).failing.insert(takeover::Step::add_addresses);
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_FALSE(gateway(cluster, 3).view().stands_in());
    EXPECT_FALSE(cluster.gate_open(3));
    cluster.pass(milliseconds(300));
    EXPECT_TRUE(cluster.gate_open(2)) << "the next one in rank is sound";
}

TEST(NodeStandInTest, ANodeThatWasDemotedHasNoSubstitute) {
    FakeCluster cluster = standing_in_cluster();
    // Every word of its release is lost.
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.pass(milliseconds(1900));
    cluster.mute_leases({1});
    cluster.pass(seconds(3));
    EXPECT_EQ(cluster.state(3), takeover::State::standby);
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
}

}  // namespace node_stand_in_test
}  // namespace vpnha::node
