// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other: quorum, epochs, versions, set-ups, late kernels.
#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "protocols/l2tp/work.hpp"
#include "sample_session.hpp"
#include "support/wire_v2.hpp"

namespace vpnha::node {
namespace node_cluster_test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Bytes encoded(const wire::Message& message) {
    return wire::Dialects().encode(message, 1);
}

TEST(NodeClusterTest, WithoutQuorumNobodyIsPromoted) {
    FakeCluster cluster = with_one_session();
    cluster.split({3});
    const Result<void> answer = cluster.promote(3);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("without quorum"));
    EXPECT_THAT(cluster.at(3).steps, IsEmpty());
    EXPECT_EQ(cluster.replica(1).epoch().number, 1U);
}

TEST(NodeClusterTest, AHolderOfALostPartitionFallsSilentWhenItHeals) {
    FakeCluster cluster = with_one_session();
    cluster.split({1});
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::unprotected);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.heal();
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->view().state(), takeover::State::standby);
    EXPECT_THAT(cluster.at(1).steps, Contains(takeover::Step::shut_gate));
    EXPECT_EQ(cluster.replica(1).holder(), NodeId{2});
    EXPECT_EQ(cluster.replica(1).level(), wire::Level::complete);
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::hot);
}

TEST(NodeClusterTest, AHolderOfALostPartitionDeposesNobodyWhenAStandbySpeaksFirst) {
    FakeCluster cluster = with_one_session();
    cluster.split({1});
    ASSERT_TRUE(cluster.promote(3).has_value());
    cluster.heal();
    EXPECT_EQ(cluster.replica(1).epoch(), (Epoch{2, NodeId{3}}));
    EXPECT_EQ(cluster.replica(2).holder(), NodeId{3});
    EXPECT_TRUE(cluster.replica(3).promoted());
}

// Node 3 was cut off while epoch 2.2 came and went. Node 1 alone has what was written in it.
TEST(NodeClusterTest, AStandbyThatHasMissedAnEpochIsWorthLessThoughNobodyServes) {
    FakeCluster cluster = with_one_session();
    cluster.pass(kScoreSettle);
    cluster.split({3});
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(kScoreSettle);
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.at(3).scores.back(), kScoreComplete);
    cluster.kill(2);
    cluster.heal();
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.at(3).scores.back(), kScorePartial);
    EXPECT_EQ(cluster.replica(3).epoch(), (Epoch{2, NodeId{2}}));
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::complete);
}

// Node 3 was cut off while session 2 came up. Node 2 alone has it, and tells so as node 3 is back.
TEST(NodeClusterTest, AStandbyThatHasMissedChangesIsWorthLessThoughNobodyServes) {
    FakeCluster cluster = with_one_session();
    cluster.pass(kScoreSettle);
    cluster.split({3});
    cluster.run(1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    cluster.kill(1);
    cluster.heal();
    EXPECT_EQ(cluster.at(2).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.at(3).scores.back(), kScorePartial);
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::complete) << "node 2 has given it all";
    EXPECT_EQ(cluster.replica(3).store().size_of(wire::RecordType::l2tp_session), 2U);
    ASSERT_TRUE(cluster.promote(3).has_value());
    EXPECT_THAT(cluster.at(3).node->find(kGateway)->cores().keepers.sessions(), SizeIs(2));
}

// Others would take it for complete in one that it has nothing of.
TEST(NodeClusterTest, AHelloNamesTheEpochThatItsLevelIsAbout) {
    FakeCluster cluster = with_one_session();
    wire::Hello hello;
    hello.version_min = 1;
    hello.version_max = 1;
    hello.node_name = "gw2";
    hello.gateways = {{.gateway = kGateway,
                       .level = wire::Level::partial,
                       .standing = wire::Level::partial,
                       .epoch = Epoch{9, NodeId{2}}}};
    cluster.run(3, cluster.at(3).node->on_group_message(NodeId{2}, encoded(hello), cluster.now()));
    EXPECT_EQ(cluster.replica(3).highest_epoch(), (Epoch{9, NodeId{2}}));
    const wire::GatewayState state = cluster.at(3).node->find(kGateway)->view().wire_state();
    EXPECT_EQ(state.level, wire::Level::complete);
    EXPECT_EQ(state.epoch, (Epoch{1, NodeId{1}}));
}

TEST(NodeClusterTest, AnEpochIsNotClaimedTwiceAfterATotalOutage) {
    FakeCluster cluster = with_one_session();
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.kill(node);
    }
    cluster.start(2);
    cluster.start(3);
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_EQ(cluster.replica(2).epoch().number, 2U);
}

TEST(NodeClusterTest, AHolderThatForgotAnEpochClaimsAboveTheOneAMemberRemembers) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::seconds(1));  // Node 3 has answered its renewals.
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.kill(node);
    }
    cluster.lose_disk(1);
    cluster.lose_disk(2);
    cluster.start(1);
    cluster.start(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_FALSE(cluster.gate_open(1));
    // It is wrong that node 3 remembers nothing.
    for (const std::uint32_t node : {1U, 2U}) {
        cluster.run(node, cluster.at(node).node->vote_without(0, NodeId{3}, cluster.now()));
        cluster.pass(std::chrono::seconds(1));
    }
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(1).epoch().number, 1U);
    cluster.start(3);
    cluster.pass(std::chrono::seconds(11));
    EXPECT_EQ(cluster.replica(1).epoch(), (Epoch{3, NodeId{1}}));
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::complete);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeClusterTest, TheDeathOfAHoldersVpnhadIsReportedOnceByTheLowestStandby) {
    FakeCluster cluster = with_one_session();
    cluster.kill_process(1);
    EXPECT_THAT(cluster.at(2).reports, ElementsAre("score of checkpoint at gw1"));
    ASSERT_TRUE(cluster.promote(3).has_value());
    cluster.pass(std::chrono::seconds(5));
    EXPECT_THAT(cluster.at(2).reports, SizeIs(1));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeClusterTest, AnIncompleteStandbyAndACompleteOneDoNotBothReport) {
    FakeCluster cluster = with_one_session();
    // Node 2 misses a change, and the holder does not get round to a pass any more.
    cluster.run(1, cluster.at(1).node->set_group_writable(false, cluster.now()));
    const wire::Update later{
        .gateway = kGateway, .epoch = cluster.replica(1).epoch(), .base = 1000, .changes = {}};
    cluster.run(2, cluster.at(2).node->on_group_message(NodeId{1}, encoded(later), cluster.now()));
    ASSERT_EQ(cluster.replica(2).level(), wire::Level::partial);
    ASSERT_EQ(cluster.replica(3).level(), wire::Level::complete);
    cluster.kill_process(1);
    EXPECT_THAT(cluster.at(2).reports, ElementsAre("score of checkpoint at gw1"));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeClusterTest, TheNextStandbyReportsWhenNothingComesOfIt) {
    FakeCluster cluster = with_one_session();
    cluster.kill_process(1);
    cluster.pass(std::chrono::milliseconds(2900));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_THAT(cluster.at(3).reports, ElementsAre("score of checkpoint at gw1"));
}

TEST(NodeClusterTest, NobodyReportsADeadNode) {
    FakeCluster cluster = with_one_session();
    cluster.kill_process(3);
    cluster.kill(1);
    cluster.pass(std::chrono::seconds(5));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
}

TEST(NodeClusterTest, TheScoreOfAStandbyWhoseVpnhadDiedIsWithdrawnOnce) {
    FakeCluster cluster = with_one_session();
    cluster.kill_process(2);
    cluster.pass(std::chrono::seconds(5));
    EXPECT_THAT(cluster.at(1).reports, ElementsAre("score of checkpoint at gw2"));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeClusterTest, AHolderWhoseRoundsNobodyReceivesIsReportedOnceThoughItIsAMember) {
    FakeCluster cluster = with_one_session();
    cluster.pass(std::chrono::seconds(1));
    cluster.mute_leases({1});
    cluster.pass(std::chrono::milliseconds(300));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_THAT(cluster.at(2).reports, ElementsAre("score of checkpoint at gw1"));
    cluster.kill_process(1);  // By Pacemaker, which was told.
    cluster.pass(std::chrono::seconds(2));
    EXPECT_THAT(cluster.at(2).reports, SizeIs(1));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

// Of the holder, for a second in which nobody hears its rounds.
FakeCluster after_a_standstill() {
    FakeCluster cluster = with_one_session();
    cluster.pass(std::chrono::seconds(1));
    cluster.mute_leases({1});
    cluster.pass(std::chrono::seconds(1));
    cluster.mute_leases({});
    return cluster;
}

TEST(NodeClusterTest, WhoIsDemotedWritesTheScoreAgainThatWasWithdrawn) {
    FakeCluster cluster = after_a_standstill();
    cluster.pass(std::chrono::seconds(3));
    cluster.at(1).scores.clear();
    EXPECT_THAT(cluster.at(2).reports, SizeIs(1));
    cluster.demote(1);
    cluster.promote(2);
    cluster.pass(std::chrono::seconds(3));
    EXPECT_THAT(cluster.at(1).scores, ElementsAre(kScoreComplete));
    cluster.pass(std::chrono::seconds(10));
    EXPECT_THAT(cluster.at(1).scores, ElementsAre(kScoreComplete, kScoreComplete))
        << "once more: who heard of the demotion late withdraws late";
}

TEST(NodeClusterTest, WhoseDemotionLastsWritesItsScoreAgainBehindIt) {
    FakeCluster cluster = with_one_session();
    cluster.pass(kScoreSettle);
    cluster.at(1).lasting = takeover::Step::remove_addresses;
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    cluster.pass(std::chrono::seconds(20));
    ASSERT_EQ(cluster.state(1), takeover::State::releasing);
    cluster.at(1).scores.clear();
    cluster.finish_step(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::seconds(10));
    EXPECT_THAT(cluster.at(1).scores, Contains(kScoreComplete));
}

// What was stock there would speak through the gate.
TEST(NodeClusterTest, WhereStockServicesHaveNotEndedNobodyIsPromotedBeforeTheyHave) {
    FakeCluster cluster = with_one_session();
    cluster.at(1).failing.insert(takeover::Step::reset_services);
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreEmpty);
    EXPECT_THAT(cluster.at(1).node->find(kGateway)->view().blockers(),
                Contains(HasSubstr("have not ended")));
    cluster.pass(std::chrono::seconds(10));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreEmpty) << "tried again, in vain";
    cluster.at(1).failing.clear();
    cluster.pass(std::chrono::seconds(7));
    EXPECT_EQ(cluster.at(1).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    const auto resets = std::count(cluster.at(1).steps.begin(), cluster.at(1).steps.end(),
                                   takeover::Step::reset_services);
    cluster.pass(std::chrono::minutes(1));
    EXPECT_EQ(std::count(cluster.at(1).steps.begin(), cluster.at(1).steps.end(),
                         takeover::Step::reset_services),
              resets);
}

TEST(NodeClusterTest, AHolderThatAMajorityReceivesIsNotReported) {
    FakeCluster cluster = with_one_session();
    cluster.pass(std::chrono::seconds(1));
    cluster.mute_leases({2});
    cluster.pass(std::chrono::seconds(5));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeClusterTest, AHolderThatIsReceivedAgainBeforeTheNextStandbyReportsIsLeftAlone) {
    FakeCluster cluster = after_a_standstill();
    cluster.pass(std::chrono::seconds(9));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_THAT(cluster.at(2).reports, SizeIs(1));
    EXPECT_THAT(cluster.at(3).reports, IsEmpty());
}

TEST(NodeClusterTest, ADetachedNodeEndsWhenItIsDrainingNoMore) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.detach(1).has_value());
    EXPECT_FALSE(cluster.at(1).detached) << "it still serves";
    EXPECT_TRUE(cluster.gate_open(1));
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_TRUE(cluster.at(1).detached);
    EXPECT_FALSE(cluster.gate_open(1));
}

TEST(NodeClusterTest, ANodeOfTheConfigurationBecomesAVoterWhenItRuns) {
    FakeCluster cluster = with_one_session();
    const std::vector<NodeId> four{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}};
    cluster.run(1, cluster.at(1).node->set_voters(four, cluster.now()));
    cluster.pass(std::chrono::seconds(1));
    EXPECT_THAT(cluster.lease(1).state().voters.current.nodes, SizeIs(3));
    cluster.start(4);
    // It abstains, for all that node 1 knows.
    cluster.pass(std::chrono::milliseconds(900));
    EXPECT_THAT(cluster.lease(1).state().voters.current.nodes, SizeIs(3));
    cluster.pass(std::chrono::seconds(1));
    EXPECT_EQ(cluster.lease(1).state().voters.current.nodes, four);
    EXPECT_EQ(cluster.lease(3).state().voters.current.nodes, four);
    EXPECT_TRUE(cluster.gate_open(1));
    cluster.run(1, cluster.at(1).node->set_voters({NodeId{1}, NodeId{2}}, cluster.now()));
    cluster.pass(std::chrono::seconds(1));
    EXPECT_THAT(cluster.lease(2).state().voters.current.nodes, SizeIs(2)) << "one after the other";
}

// All nodes' corosync.conf is the same, and was reloaded.
void set_voters(FakeCluster& cluster, const std::vector<NodeId>& voters) {
    for (std::uint32_t node = 1; node <= 4; ++node) {
        if (cluster.lives(node)) {
            cluster.run(node, cluster.at(node).node->set_voters(voters, cluster.now()));
        }
    }
}

std::vector<NodeId> voters_at(FakeCluster& cluster, std::uint32_t node) {
    return cluster.at(node).node->voters();
}

TEST(NodeClusterTest, ANodeThatLeavesVotesUntilTheListIsAnotherOne) {
    FakeCluster cluster(2, 2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    const std::vector<NodeId> one{NodeId{1}};
    // Its answers are lost for a while: of two voters both have to end the change.
    cluster.lose_leases([](std::uint32_t from, const SendLease&) { return from == 2; });
    set_voters(cluster, one);
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->voters().leaving(), std::vector{NodeId{2}});
    EXPECT_EQ(voters_at(cluster, 1), (std::vector{NodeId{1}, NodeId{2}}));
    EXPECT_THAT(cluster.at(1).log,
                Contains(HasSubstr("keep vpnhad running there until then event=voters-leave "
                                   "gateway=l2tp epoch=1.1 nodes=2")));
    set_voters(cluster, one);
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=voters-leave")).Times(1));
    cluster.lose_leases({});
    cluster.pass(std::chrono::milliseconds(500));
    EXPECT_EQ(voters_at(cluster, 1), one);
    EXPECT_THAT(cluster.at(1).node->find(kGateway)->voters().leaving(), IsEmpty());
    cluster.kill(2);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
}

// The list without another one could need the vote of the dead one.
TEST(NodeClusterTest, OfSeveralNodesThatLeaveTheDeadOneIsTheFirst) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.kill(3);
    cluster.pass(std::chrono::seconds(4));
    set_voters(cluster, {NodeId{1}});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_EQ(voters_at(cluster, 1), std::vector{NodeId{1}});
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeClusterTest, TwoOfFourNodesLeaveInOneReload) {
    FakeCluster cluster(4, 4);
    ASSERT_TRUE(cluster.promote(1).has_value());
    const std::vector<NodeId> two{NodeId{1}, NodeId{2}};
    set_voters(cluster, two);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_EQ(voters_at(cluster, 1), two);
    EXPECT_EQ(voters_at(cluster, 2), two);
    cluster.kill(3);
    cluster.kill(4);
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeClusterTest, ADeadNodeOfTwoIsConfirmedDeadAndLeaves) {
    FakeCluster cluster(2, 2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.kill(2);
    set_voters(cluster, {NodeId{1}});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.gate_open(1));
    cluster.run(1, cluster.at(1).node->confirm_dead(90, NodeId{2}, lease::Confirmed::by_operator,
                                                    cluster.now()));
    EXPECT_TRUE(cluster.at(1).answers.at(90)) << cluster.at(1).answers.at(90).error().detail;
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(voters_at(cluster, 1), std::vector{NodeId{1}});
}

TEST(NodeClusterTest, AMixedClusterSpeaksTheOldVersionUntilTheLastNodeIsNew) {
    FakeCluster cluster(1);
    cluster.settings().codecs = wire::next_codecs();
    cluster.start(2);
    cluster.start(3);
    EXPECT_EQ(cluster.at(3).node->wire_version(), 1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::hot);
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_EQ(cluster.at(2).node->wire_version(), 2);
    cluster.run(2, cluster.at(2).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    EXPECT_EQ(cluster.replica(3).store().count(), 2U);
    cluster.settings().codecs = wire::released_codecs();
    cluster.start(1);
    EXPECT_EQ(cluster.at(2).node->wire_version(), 1);
    EXPECT_EQ(cluster.replica(1).store().count(), 2U);
    ASSERT_TRUE(cluster.begin_demote(2).has_value());
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_THAT(cluster.at(1).node->find(kGateway)->cores().keepers.sessions(), SizeIs(2));
}

TEST(NodeClusterTest, ANodeTwoReleasesApartIsInformedAndTakesNoPart) {
    FakeCluster cluster(2);
    cluster.settings().codecs = wire::distant_codecs();
    cluster.start(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_THAT(cluster.at(3).node->incompatible(), IsEmpty()) << "it cannot even read them";
    EXPECT_GT(cluster.at(1).node->counters().messages_unsupported, 0U);
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::empty);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeClusterTest, AMemberWithoutACommonVersionIsNamed) {
    FakeCluster cluster(2);
    wire::Hello hello;
    hello.version_min = 8;
    hello.version_max = 9;
    hello.node_name = "gw2";
    hello.gateways = {{.gateway = kGateway,
                       .promoted = true,
                       .level = wire::Level::complete,
                       .standing = wire::Level::complete,
                       .epoch = Epoch{9, NodeId{2}}}};
    cluster.run(1, cluster.at(1).node->on_members({NodeId{1}, NodeId{2}}, true, cluster.now()));
    cluster.kill(2);
    cluster.start(2);
    cluster.run(1, cluster.at(1).node->on_members({NodeId{1}}, true, cluster.now()));
    cluster.run(1, cluster.at(1).node->on_members({NodeId{1}, NodeId{2}}, true, cluster.now()));
    cluster.run(1, cluster.at(1).node->on_group_message(NodeId{2}, encoded(hello), cluster.now()));
    EXPECT_THAT(cluster.at(1).node->incompatible(), ElementsAre(NodeId{2}));
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("upgrade by one release at a time")));
    EXPECT_EQ(cluster.replica(1).holder(), std::nullopt);
}

TEST(NodeClusterTest, ASetupThatDiffersFromTheHoldersMakesAStandbyPartialAndIsNamed) {
    FakeCluster cluster(1);
    const auto setup = [](std::uint64_t secret, std::uint64_t log) {
        return std::vector<wire::Setup>{
            {GatewayId{0}, {{"daemon.log_level", wire::Weight::note, log}}},
            {kGateway, {{"secrets /etc/ppp/chap-secrets", wire::Weight::session, secret}}}};
    };
    cluster.settings().setups = setup(1, 1);
    cluster.kill(1);
    cluster.start(1);
    cluster.settings().setups = setup(2, 1);
    cluster.start(2);
    cluster.settings().setups = setup(1, 2);
    cluster.start(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(kScoreSettle);
    const GatewayNode& second = *cluster.at(2).node->find(kGateway);
    EXPECT_EQ(second.view().standing(), wire::Level::partial);
    EXPECT_THAT(second.view().blockers(),
                ElementsAre("secrets /etc/ppp/chap-secrets differs from the promoted node's"));
    EXPECT_EQ(cluster.at(2).scores.back(), kScorePartial);
    EXPECT_EQ(cluster.at(3).scores.back(), kScoreComplete);
    EXPECT_EQ(cluster.at(3).node->find(kGateway)->view().standing(), wire::Level::complete);
    EXPECT_THAT(cluster.at(3).node->differences(), Not(IsEmpty()));
    cluster.run(2, cluster.at(2).node->set_setups(setup(1, 1), cluster.now()));
    cluster.pass(kScoreSettle);
    EXPECT_EQ(cluster.at(2).scores.back(), kScoreComplete);
}

TEST(NodeClusterTest, ASessionThatTheKernelTakesAfterThePromotionIsResumedThen) {
    FakeCluster cluster = with_one_session();
    cluster.at(3).answers_installs = false;
    cluster.run(1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(3).has_value());
    EXPECT_THAT(cluster.at(3).datagrams, SizeIs(1));
    cluster.answer_install(3, {});
    EXPECT_THAT(cluster.at(3).datagrams, SizeIs(2));
    for (const keepers::SessionView& view :
         cluster.at(3).node->find(kGateway)->cores().keepers.sessions()) {
        EXPECT_EQ(view.state, keepers::SessionState::resumed);
    }
}

TEST(NodeClusterTest, ALateSessionJoinsATunnelThatSpeaksAlready) {
    FakeCluster cluster = with_one_session();
    l2tp::SessionRecord second = session(1);
    second.key.id = SessionId{77};
    cluster.at(3).answers_installs = false;
    cluster.run(
        1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(second), "", cluster.now()));
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(3).has_value());
    cluster.answer_install(3, {});
    const std::vector<keepers::SessionView> sessions =
        cluster.at(3).node->find(kGateway)->cores().keepers.sessions();
    ASSERT_THAT(sessions, SizeIs(2));
    EXPECT_EQ(sessions.front().state, keepers::SessionState::resumed);
    EXPECT_EQ(sessions.back().state, keepers::SessionState::resumed);
}

// The kernel gives what a LAC sends from one port to the socket of any of its tunnels.
TEST(NodeClusterTest, AMessageReachesTheTunnelThatItsHeaderNames) {
    FakeCluster cluster = with_one_session();
    l2tp::SessionRecord second = session(1);
    second.key.tunnel.id = TunnelId{77};
    second.key.tunnel.peer_id = TunnelId{1077};
    cluster.run(
        1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(second), "", cluster.now()));
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.at(2).datagrams.clear();
    const auto handle = [&](std::uint16_t id) {
        const Bytes hello = test::L2tpPacket(l2tp::MessageType::hello).to(id).numbers(5, 4).bytes();
        cluster.run(2, cluster.at(2).node->on_event(
                           kGateway, TunnelDatagram{session(1).key.tunnel, hello}, cluster.now()));
    };
    handle(77);
    ASSERT_THAT(cluster.at(2).datagrams, SizeIs(2)) << "its probe, and the acknowledgement";
    for (const Bytes& datagram : cluster.at(2).datagrams) {
        EXPECT_EQ(test::open_datagram(datagram).header.tunnel, second.key.tunnel.peer_id);
    }
    cluster.at(2).datagrams.clear();
    handle(78);
    EXPECT_THAT(cluster.at(2).datagrams, IsEmpty());
    EXPECT_EQ(
        cluster.at(2).node->find(kGateway)->cores().keepers.counts().at("l2tp_foreign_tunnel"), 1U);
}

TEST(NodeClusterTest, AStandbyInstallsAgainWhatSomebodyRemoved) {
    FakeCluster cluster = with_one_session();
    cluster.at(2).kernel.clear();
    cluster.run(2,
                cluster.at(2).node->on_event(kGateway, SessionGone{session(1).key}, cluster.now()));
    EXPECT_THAT(cluster.at(2).kernel, ElementsAre(session(1).key));
    EXPECT_EQ(cluster.at(2).node->find(kGateway)->cores().keepers.counts().at("sessions_gone"), 1U);
}

TEST(NodeClusterTest, LostNewsOfTheKernelLeadsToAComparison) {
    FakeCluster cluster = with_one_session();
    cluster.at(2).kernel.clear();
    cluster.run(2, cluster.at(2).node->on_event(SessionNewsLost{}, cluster.now()));
    EXPECT_EQ(cluster.at(2).audits, 1);
    EXPECT_THAT(cluster.at(2).kernel, ElementsAre(session(1).key));
}

TEST(NodeClusterTest, APluginThatGaveUpWaitingIsCounted) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.hold(true);
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    cluster.pass(std::chrono::milliseconds(50));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->cores().keepers.counts().at("confirm_timeouts"),
              1U);
}

TEST(NodeClusterTest, ThePlanCountsWhatEachStandbyWouldKeep) {
    FakeCluster cluster = with_one_session();
    cluster.at(3).refuses_sessions = true;
    cluster.run(1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    const std::vector<PlanRow> plan = cluster.at(1).node->find(kGateway)->view().plan();
    ASSERT_THAT(plan, SizeIs(2));
    EXPECT_EQ(plan[0].node, NodeId{2});
    EXPECT_EQ(plan[0].coverage.held, 2U);
    EXPECT_EQ(plan[1].coverage.held, 1U);
    EXPECT_EQ(plan[1].coverage.missing, 1U);
    EXPECT_EQ(plan[1].standing, wire::Level::partial);
}

TEST(NodeClusterTest, AResyncIsForStandbys) {
    FakeCluster cluster = with_one_session();
    cluster.run(1, cluster.at(1).node->resync(50, kGateway, cluster.now()));
    EXPECT_FALSE(cluster.at(1).answers.at(50).has_value());
    cluster.run(2, cluster.at(2).node->resync(51, kGateway, cluster.now()));
    EXPECT_TRUE(cluster.at(2).answers.at(51).has_value());
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

}  // namespace node_cluster_test
}  // namespace vpnha::node
