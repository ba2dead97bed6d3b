// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other: who is granted the lease, and what becomes of one that lapses.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "fake_cluster.hpp"
#include "protocols/l2tp/work.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace node_lease_test {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::uint16_t kManySessions = 200;

TEST(NodeLeaseTest, APromotionThatNoMajorityGrantsFailsAndReportsSo) {
    FakeCluster cluster(3);
    cluster.mute_leases({2, 3});
    const TimePoint began = cluster.now();
    const Result<void> answer = cluster.promote(1);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("grant: no majority of the voters"));
    EXPECT_LE(cluster.now() - began, std::chrono::milliseconds(2100))
        << "as long as one is draining";
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(2).epoch().number, 0U);
}

TEST(NodeLeaseTest, ADemotionThatOvertakesAPromotionHasAnAnswerOfItsOwn) {
    FakeCluster cluster(3);
    cluster.mute_leases({2, 3});
    const RequestToken promotion = cluster.begin_promote(1);
    cluster.pass(std::chrono::milliseconds(100));
    EXPECT_TRUE(cluster.begin_demote(1).has_value()) << "the node is silent";
    ASSERT_TRUE(cluster.at(1).answers.contains(promotion));
    const Result<void>& promoted = cluster.at(1).answers.at(promotion);
    ASSERT_FALSE(promoted.has_value());
    EXPECT_THAT(promoted.error().detail, HasSubstr("grant: it was demoted meanwhile"));
}

TEST(NodeLeaseTest, ADemotionThatOvertakesAPromotionFailsWhenTheGateCannotBeShut) {
    FakeCluster cluster(3);
    cluster.mute_leases({2, 3});
    const RequestToken promotion = cluster.begin_promote(1);
    cluster.at(1).failing.insert(takeover::Step::shut_gate);
    const Result<void> demoted = cluster.begin_demote(1);
    ASSERT_FALSE(demoted.has_value());
    EXPECT_THAT(demoted.error().detail, HasSubstr("shut_gate: device is gone"));
    EXPECT_FALSE(cluster.at(1).answers.at(promotion).has_value());
}

TEST(NodeLeaseTest, APromotionThatNoNodeCouldBeGrantedWaitsForAVoter) {
    FakeCluster cluster(1);  // Of three voters.
    ASSERT_TRUE(cluster.promote(1).has_value()) << "stopped it would lose its sessions";
    const GatewayNode& gateway = *cluster.at(1).node->find(kGateway);
    EXPECT_TRUE(gateway.view().waits());
    EXPECT_THAT(cluster.at(1).log,
                Contains(AllOf(HasSubstr("event=waiting"), HasSubstr("missing=2,3"))).Times(1));
    EXPECT_TRUE(cluster.promote(1).has_value()) << "asked again";
    cluster.pass(std::chrono::minutes(1));
    EXPECT_TRUE(gateway.view().waits());
    EXPECT_FALSE(cluster.gate_open(1));
    cluster.start(2);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_FALSE(gateway.view().waits());
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeLeaseTest, AWaitingNodeThatIsDemotedIsAStandbyAgain) {
    FakeCluster cluster(1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.begin_demote(1).has_value()) << "a failure would have the node fenced";
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.at(1).node->find(kGateway)->view().waits());
}

TEST(NodeLeaseTest, AWaitingNodeGivesUpWhenAMajorityIsThereAndDoesNotGrant) {
    FakeCluster cluster(1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.mute_leases({2});
    cluster.start(2);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.at(1).node->find(kGateway)->view().waits())
        << "who comes back abstains at first";
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

class LapseInPromotionTest : public testing::Test {
  protected:
    // Node 2 is promoted, and its lease lapses in a step of the promotion.
    void SetUp() override {
        cluster_.lose_power(1);
        cluster_.form_ring();
        cluster_.pass(std::chrono::seconds(1));
        cluster_.at(2).lasting = takeover::Step::announce;
        cluster_.begin_promote(2);
        cluster_.pass(std::chrono::seconds(1));
        ASSERT_TRUE(cluster_.gate_open(2));
        cluster_.mute_leases({3});
        cluster_.pass(std::chrono::milliseconds(400));
        ASSERT_FALSE(cluster_.gate_open(2));
    }
    void serve_again() {
        cluster_.mute_leases({});
        cluster_.pass(std::chrono::seconds(1));
    }

    FakeCluster cluster_ = with_one_session();
};

TEST_F(LapseInPromotionTest, WhatPeersLeaveUnansweredEndsNoSession) {
    cluster_.finish_step(2);
    ASSERT_EQ(cluster_.state(2), takeover::State::promoted);
    ASSERT_THAT(cluster_.at(2).log, Contains(HasSubstr("event=lease-ended")));
    cluster_.pass(std::chrono::minutes(3));
    EXPECT_THAT(cluster_.at(2).kernel, ElementsAre(session(1).key));
    serve_again();
    EXPECT_TRUE(cluster_.gate_open(2));
    EXPECT_THAT(cluster_.at(2).kernel, ElementsAre(session(1).key));
}

TEST_F(LapseInPromotionTest, WhatIsGrantedAnewIsClaimedWhenThePromotionIsOver) {
    serve_again();
    ASSERT_TRUE(cluster_.gate_open(2));
    ASSERT_EQ(cluster_.replica(2).epoch().number, 2U);
    cluster_.finish_step(2);
    EXPECT_EQ(cluster_.replica(2).epoch().number, 3U);
    EXPECT_THAT(cluster_.at(2).log, Not(Contains(HasSubstr("event=lease-ended"))));
}

// Who is granted the lease meanwhile may not have heard of the session yet.
TEST(NodeLeaseTest, AConfirmationThatComesBehindTheLeaseProtectsNothing) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.at(2).answers_installs = false;
    cluster.at(3).answers_installs = false;
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    cluster.mute_leases({2, 3});
    cluster.pass(std::chrono::milliseconds(400));
    ASSERT_FALSE(cluster.gate_open(1));
    cluster.answer_install(2, {});
    const wire::RecordKey key{wire::RecordType::l2tp_session,
                              wire::RecordId(l2tp::encode_key(session(1).key))};
    EXPECT_FALSE(cluster.replica(1).is_protected(key));
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.replica(1).is_protected(key)) << "confirmed in the next epoch";
}

// What it had confirmed as a standby comes round when it is promoted, and its lease has lapsed.
TEST(NodeLeaseTest, AHolderThatLapsedConfirmsAgainAsAStandby) {
    FakeCluster cluster = with_one_session();
    cluster.hold(true);
    cluster.run(2,
                cluster.at(2).node->on_event(kGateway, SessionGone{session(1).key}, cluster.now()));
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.mute_leases({1, 3});
    cluster.pass(std::chrono::milliseconds(400));
    ASSERT_FALSE(cluster.gate_open(2));
    cluster.hold(false);
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    ASSERT_TRUE(cluster.begin_demote(2).has_value());
    ASSERT_TRUE(cluster.promote(3).has_value());
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.replica(3).coverage(NodeId{1}).known);
    EXPECT_TRUE(cluster.replica(3).coverage(NodeId{2}).known);
}

// The lease's answers do not reach node 1; all else does, its claims and the group among it.
bool is_answer_to_node_1(std::uint32_t, const SendLease& sent) {
    return sent.to == NodeId{1} && (std::holds_alternative<lease::Answer>(sent.message) ||
                                    std::holds_alternative<lease::Refusal>(sent.message));
}

TEST(NodeLeaseTest, AHolderThatNoAnswersReachIsReportedByAVoter) {
    FakeCluster cluster = with_one_session();
    cluster.lose_leases(is_answer_to_node_1);
    cluster.pass(std::chrono::milliseconds(1500));
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty()) << "its next round may be a renewal";
    cluster.pass(std::chrono::milliseconds(500));
    EXPECT_THAT(cluster.at(2).reports, ElementsAre("score of checkpoint at gw1"));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("receives no answer")));
    cluster.pass(std::chrono::seconds(2));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty()) << "one report is enough";
    cluster.lose_leases({});
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    EXPECT_TRUE(cluster.promote(2).has_value()) << "the claims were released";
}

TEST(NodeLeaseTest, AVoterOfAClaimantThatDiedBeforeItServedHasNothingToLookAt) {
    FakeCluster cluster = with_one_session();
    cluster.mute_leases({1});
    cluster.hold(true);  // Nobody hears of the claim in the group.
    cluster.begin_promote(2);
    cluster.pass(std::chrono::milliseconds(600));
    ASSERT_EQ(cluster.lease(3).voter().granted().node, NodeId{2});
    cluster.mute_leases({1, 2});
    cluster.pass(std::chrono::milliseconds(600));
    EXPECT_EQ(cluster.replica(3).holder(), NodeId{1});
    EXPECT_GT(cluster.at(3).node->next_deadline(), cluster.now()) << "vpnhad would not sleep";
}

TEST(NodeLeaseTest, AClaimThatIsHeldSoonIsNoCaseForPacemaker) {
    FakeCluster cluster = with_one_session();
    for (int i = 0; i < 5; ++i) {
        cluster.lose_leases(is_answer_to_node_1);
        cluster.pass(std::chrono::milliseconds(500));
        cluster.lose_leases({});
        cluster.pass(std::chrono::milliseconds(500));
        EXPECT_TRUE(cluster.gate_open(1));
    }
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
}

TEST(NodeLeaseTest, AHolderThatIsGrantedNothingGivesTheRoleAwayThoughNothingCameOfAReport) {
    FakeCluster cluster = with_one_session();
    // The voters hear of the end of its lease, and of no claim.
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 1 && std::holds_alternative<lease::Round>(sent.message);
    });
    cluster.pass(std::chrono::milliseconds(4200));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete);
    cluster.pass(std::chrono::milliseconds(300));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreEmpty);
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=unanswered")).Times(1));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->view().counters().unanswered, 1U);
    EXPECT_THAT(cluster.at(2).reports, SizeIs(1)) << "a lapse is no order";
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete) << "a standby like any other";
}

TEST(NodeLeaseTest, NobodyGivesTheRoleToNodesThatAreNoMajorityEither) {
    FakeCluster cluster = with_one_session();
    cluster.kill(3);
    cluster.lose_leases(is_answer_to_node_1);
    cluster.pass(std::chrono::minutes(1));
    EXPECT_THAT(cluster.at(1).log, Not(Contains(HasSubstr("event=unanswered"))));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
    cluster.lose_leases({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
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
                Contains(HasSubstr("another node may have served in epoch 2.2 meanwhile")));
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    cluster.hold(false);
    EXPECT_TRUE(cluster.gate_open(2)) << "claimed anew by itself";
    EXPECT_EQ(cluster.replica(1).holder(), NodeId{2});
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::resumed);
}

// Node 1 is out of reach, node 2 takes over with node 3's vote, and then it is out of reach.
void expect_that_node_1_stays_silent(FakeCluster& cluster) {
    cluster.mute_leases({2});
    for (int ms = 0; ms < 2500; ++ms) {
        cluster.pass(std::chrono::milliseconds(1));
        ASSERT_FALSE(cluster.gate_open(1));
    }
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("another node may have served in epoch")));
}

TEST(NodeLeaseTest, AHolderOfThePastDoesNotWinWhenOnlyTheClaimOfThePresentOneWasReceived) {
    FakeCluster cluster = with_one_session();
    cluster.mute_leases({1});
    cluster.hold(true);
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        const auto* round = std::get_if<lease::Round>(&sent.message);
        return from == 2 && round != nullptr && round->held;
    });
    ASSERT_TRUE(cluster.promote(2).has_value());
    ASSERT_FALSE(cluster.at(2).datagrams.empty());
    expect_that_node_1_stays_silent(cluster);
}

TEST(NodeLeaseTest, AHolderOfThePastDoesNotWinWhenTheVoterHasStartedAnewSince) {
    FakeCluster cluster = with_one_session();
    cluster.mute_leases({1});
    cluster.hold(true);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.let_abstain();
    cluster.kill(3);
    cluster.start(3);
    expect_that_node_1_stays_silent(cluster);
}

TEST(NodeLeaseTest, AHolderContinuesWhenTheVpnhadsOfItsStandbysHaveStartedAnew) {
    FakeCluster cluster = with_one_session();
    cluster.let_abstain();
    for (const std::uint32_t standby : {2U, 3U}) {
        cluster.kill_process(standby);
    }
    for (const std::uint32_t standby : {2U, 3U}) {
        cluster.start(standby);
    }
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1)) << "what they granted is on their disks";
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_EQ(cluster.replica(1).epoch(), (Epoch{2, NodeId{1}}));
}

TEST(NodeLeaseTest, AHolderThatLosesItsQuorumContinuesWhenVotesReturn) {
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
        cluster.run(
            1, cluster.at(1).node->on_plugin_up(number + 10U, "l2tp",
                                                stock_session(session(number)), "", cluster.now()));
    }
    return cluster;
}

TEST(NodeLeaseTest, ThousandsOfTunnelsSpeakInTurnsBesideTheLease) {
    FakeCluster cluster = with_many_sessions();
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    std::size_t emitted = cluster.at(2).datagrams.size();
    EXPECT_EQ(emitted, limits::kTunnelsPerTurn);
    while (emitted < kManySessions) {
        cluster.pass(limits::kTunnelTurn);
        const std::size_t more = cluster.at(2).datagrams.size() - emitted;
        ASSERT_THAT(more, AllOf(Ge(1U), Le(limits::kTunnelsPerTurn)));
        emitted += more;
    }
    cluster.pass(std::chrono::milliseconds(500));
    EXPECT_EQ(cluster.at(2).datagrams.size(), kManySessions) << "each once";
}

TEST(NodeLeaseTest, WhoseTurnHasNotComeStillNotifiesItsPeerThatItsSessionIsLost) {
    FakeCluster cluster = with_many_sessions();
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    const std::size_t emitted = cluster.at(2).datagrams.size();
    cluster.run(2, cluster.at(2).node->on_event(kGateway, SessionGone{session(kManySessions).key},
                                                cluster.now()));
    EXPECT_GT(cluster.at(2).datagrams.size(), emitted);
    cluster.pass(std::chrono::milliseconds(100));
    EXPECT_EQ(cluster.at(2).node->find(kGateway)->cores().keepers.sessions().size(),
              kManySessions - 1U);
}

TEST(NodeLeaseTest, WhoseTurnHasNotComeIsNotSpokenForWhenAStockDaemonHasIt) {
    FakeCluster cluster = with_many_sessions();
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.run(2, cluster.at(2).node->on_plugin_up(
                       9999, "l2tp", stock_session(session(kManySessions)), "", cluster.now()));
    cluster.pass(std::chrono::milliseconds(500));
    EXPECT_EQ(cluster.at(2).datagrams.size(), kManySessions - 1U);
    EXPECT_THAT(cluster.at(2).kernel, Not(Contains(session(kManySessions).key)));
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
    EXPECT_EQ(cluster.state(1), takeover::State::draining);
    EXPECT_TRUE(cluster.gate_open(1));
    const TimePoint began = cluster.now();
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_EQ(cluster.now(), began) << "no promise had to run out";
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.gate_open(2));
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::resumed);
}

// Its loop was busy: what is late is the timer, not the end.
TEST(NodeLeaseTest, APromotionThatComesWithTheEndOfADrainingLeaseIsToBeTriedAgain) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    const TimePoint late = cluster.now() + std::chrono::seconds(1);
    cluster.run(1, cluster.at(1).node->promote(99, kGateway, late));
    ASSERT_FALSE(cluster.at(1).answers.at(99).has_value());
    EXPECT_EQ(cluster.at(1).answers.at(99).error().code, Errc::busy);
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    EXPECT_FALSE(cluster.lease(1).state().wanted);
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

}  // namespace node_lease_test
}  // namespace vpnha::node
