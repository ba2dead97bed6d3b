// SPDX-License-Identifier: GPL-2.0-or-later
// A pair of whole nodes, and a witness that votes and is no node.
#include <gmock/gmock.h>

#include "unit/cluster/node/witness/pairs.hpp"

namespace vpnha::node {
namespace node_witness_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;

// A promise, the questions, and a bit.
constexpr Duration kStandInTime = milliseconds(363);

std::vector<NodeId> voters(FakeCluster& cluster, std::uint32_t node) {
    const lease::Voters& voters = cluster.lease(node).state().voters;
    EXPECT_FALSE(voters.next.has_value());
    return voters.current.nodes;
}

const GatewayNode& gateway(FakeCluster& cluster, std::uint32_t node) {
    return *cluster.at(node).node->find(kGateway);
}

// That node's gate is open all the time.
void expect_service(FakeCluster& cluster, std::uint32_t node, Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds(20)) {
        cluster.pass(milliseconds(20));
        ASSERT_TRUE(cluster.gate_open(node)) << passed.count();
    }
}

std::vector<wire::Setup> setup_with_witness(std::uint64_t hash) {
    return {{GatewayId{0}, {{"lease.witness", wire::Weight::note, hash}}}};
}

TEST(NodeWitnessTest, TheHolderAddsItWhenItIsReceivedAndRemembersTheList) {
    FakeCluster cluster = pair_of_nodes();
    cluster.have_witness();
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
    cluster.pass(milliseconds(900));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2})) << "heard for no second";
    cluster.pass(milliseconds(3100));
    for (const std::uint32_t node : {1U, 2U}) {
        EXPECT_THAT(voters(cluster, node), ElementsAre(NodeId{1}, NodeId{2}, lease::kWitness));
        EXPECT_THAT(cluster.disk(node)->voters.current.nodes, Contains(lease::kWitness));
        EXPECT_EQ(gateway(cluster, node).voters().reserve(), 1);
        EXPECT_THAT(cluster.at(node).log, Contains(HasSubstr("event=witness-answers")));
    }
}

TEST(NodeWitnessTest, WhereTwoAnswerNeitherCounts) {
    FakeCluster cluster = pair_with_witness();
    cluster.copy_witness({2});
    expect_service(cluster, 1, seconds(6));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
    for (const std::uint32_t node : {1U, 2U}) {
        EXPECT_THAT(cluster.at(node).log, Contains(HasSubstr("event=witness-differs")));
    }
    cluster.copy_witness({});
    expect_service(cluster, 1, seconds(6));
    EXPECT_THAT(voters(cluster, 1), Contains(lease::kWitness));
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=witness-agrees")));
}

TEST(NodeWitnessTest, OneThatIsNotReceivedIsNotAdded) {
    FakeCluster cluster = pair_of_nodes();
    cluster.cut_from_witness({1});
    cluster.have_witness();
    cluster.pass(seconds(10));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeWitnessTest, WithoutMemoryTheFirstListHasNone) {
    FakeCluster cluster(2, 2, true);
    for (const std::uint32_t node : {1U, 2U}) {
        cluster.kill(node);
        cluster.lose_disk(node);
    }
    cluster.have_witness();
    cluster.start(1);
    cluster.start(2);
    cluster.pass(seconds(2));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(4));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}, lease::kWitness));
}

TEST(NodeWitnessTest, ItIsTakenOutWhenNoConfigurationNamesIt) {
    FakeCluster cluster = pair_with_witness();
    cluster.leave_witness_out();
    cluster.pass(seconds(1));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
    EXPECT_THAT(voters(cluster, 2), ElementsAre(NodeId{1}, NodeId{2}));
}

TEST(NodeWitnessTest, TheListStaysWhileTheConfigurationsDiffer) {
    FakeCluster cluster = pair_with_witness();
    cluster.run(2, cluster.at(2).node->set_setups(setup_with_witness(1), cluster.now()));
    cluster.run(1, cluster.at(1).node->set_setups(setup_with_witness(2), cluster.now()));
    cluster.leave_witness_out();
    cluster.pass(seconds(4));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}, lease::kWitness));
    cluster.run(2, cluster.at(2).node->set_setups(setup_with_witness(2), cluster.now()));
    cluster.pass(seconds(4));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));

    cluster.run(2, cluster.at(2).node->set_setups(setup_with_witness(1), cluster.now()));
    cluster.have_witness();
    cluster.pass(seconds(4));
    EXPECT_THAT(voters(cluster, 1), ElementsAre(NodeId{1}, NodeId{2}));
}

TEST(NodeWitnessTest, ThePromotedNodesDeathIsFollowedByTheStandby) {
    FakeCluster cluster = pair_with_witness();
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(kStandInTime);
    EXPECT_EQ(cluster.state(2), takeover::State::standing_in);
    EXPECT_TRUE(cluster.gate_open(2));
    cluster.form_ring();
    cluster.hold(false);
    EXPECT_EQ(cluster.state(2), takeover::State::promoted);
    EXPECT_TRUE(gateway(cluster, 2).view().stands_in());
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::unprotected)
        << "nobody is left to take over";
    expect_service(cluster, 2, seconds(2));
    EXPECT_TRUE(cluster.promote(2).has_value());
    EXPECT_TRUE(gateway(cluster, 2).view().is_promoted());
    expect_service(cluster, 2, seconds(10));
    EXPECT_THAT(cluster.at(2).kernel, Not(IsEmpty()));
}

// Of a confirmation that node 1 is dead, at node 2.
Result<void> confirm(FakeCluster& cluster, lease::Confirmed by) {
    constexpr RequestToken kRequest = 4711;
    cluster.run(2, cluster.at(2).node->confirm_dead(kRequest, NodeId{1}, by, cluster.now()));
    return cluster.at(2).answers.at(kRequest);
}

TEST(NodeWitnessTest, NoDeathHasToBeConfirmedAndADeviceThatDoesSucceeds) {
    FakeCluster cluster = pair_with_witness();
    cluster.kill(1);
    cluster.pass(seconds(2));
    EXPECT_TRUE(confirm(cluster, lease::Confirmed::by_device).has_value());
    EXPECT_FALSE(cluster.lease(2).state().alone) << "both votes that are left are needed";
    EXPECT_THAT(confirm(cluster, lease::Confirmed::by_operator).error().detail,
                HasSubstr("nothing waits for the confirmation"));
    cluster.kill_witness();
    cluster.pass(seconds(5));
    EXPECT_THAT(confirm(cluster, lease::Confirmed::by_device).error().detail,
                HasSubstr("the witness does not answer: a confirmed death does not replace its "
                          "vote"));
    EXPECT_FALSE(cluster.gate_open(2));
}

TEST(NodeWitnessTest, TheStandbysDeathIsNoSilence) {
    FakeCluster cluster = pair_with_witness();
    cluster.lose_power(2);
    expect_service(cluster, 1, seconds(1));
    cluster.form_ring();
    expect_service(cluster, 1, seconds(10));
}

// Of that node to the witness within a second.
int rounds_of(FakeCluster& cluster, std::uint32_t node) {
    int rounds = 0;
    cluster.lose_leases([&rounds, node](std::uint32_t from, const SendLease& sent) {
        const bool is_round = std::holds_alternative<lease::Round>(sent.message);
        rounds += from == node && sent.to == lease::kWitness && is_round ? 1 : 0;
        return false;
    });
    cluster.pass(seconds(1));
    cluster.lose_leases({});
    return rounds;
}

TEST(NodeWitnessTest, WhileTheOtherNodeIsMissingRoundsComeTwiceAsOften) {
    FakeCluster cluster = pair_with_witness();
    EXPECT_THAT(rounds_of(cluster, 1), AllOf(Ge(9), Le(11)));
    cluster.kill(2);
    cluster.pass(seconds(3));
    EXPECT_THAT(rounds_of(cluster, 1), AllOf(Ge(18), Le(21)));
    cluster.start(2);
    cluster.pass(seconds(5));
    EXPECT_THAT(rounds_of(cluster, 1), AllOf(Ge(9), Le(11)));
}

TEST(NodeWitnessTest, ItsOwnDeathIsNoSilenceAndIsReported) {
    FakeCluster cluster = pair_with_witness();
    cluster.kill_witness();
    expect_service(cluster, 1, seconds(6));
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=witness-lost")));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=witness-lost")));
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("the vote of the witness does not count")));
    EXPECT_EQ(gateway(cluster, 1).voters().reserve(), 0);
    cluster.start_witness();  // Its disk is lost: both nodes tell it.
    expect_service(cluster, 1, seconds(6));
    EXPECT_EQ(gateway(cluster, 1).voters().reserve(), 1);
}

TEST(NodeWitnessTest, WithoutItNobodyStandsIn) {
    FakeCluster cluster = pair_with_witness();
    cluster.cut_from_witness({2});
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(seconds(3));
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
}

TEST(NodeWitnessTest, NobodyStandsInForAHolderThatItReceives) {
    FakeCluster cluster = pair_with_witness();
    cluster.split({2});  // From node 1 alone.
    expect_service(cluster, 1, seconds(3));
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
}

TEST(NodeWitnessTest, ANodeThatLosesBothIsSilentAndTheOtherOneServes) {
    FakeCluster cluster = pair_with_witness();
    cluster.cut_from_witness({1});
    cluster.hold(true);
    cluster.mute_leases({1});
    for (Duration passed{}; passed < kStandInTime; passed += milliseconds(3)) {
        cluster.pass(milliseconds(3));
        ASSERT_FALSE(cluster.gate_open(1) && cluster.gate_open(2)) << passed.count();
    }
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.gate_open(2));
}

TEST(NodeWitnessTest, APromotionWithoutItAndTheOtherNodeWaitsInSilenceUntilItIsBack) {
    FakeCluster cluster = pair_with_witness(false);
    cluster.kill_witness();
    cluster.kill(1);
    cluster.pass(seconds(4));
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_TRUE(gateway(cluster, 2).view().waits());
    EXPECT_FALSE(cluster.gate_open(2));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("missing=1,witness")));
}

TEST(NodeWitnessTest, APromotionThatTheWitnessRefusesFailsAndDoesNotWaitForIt) {
    FakeCluster cluster = pair_with_witness(false);
    cluster.split({2});
    cluster.pass(seconds(6));  // The witness's promises to node 1 hold, and it is heard.
    EXPECT_FALSE(cluster.promote(2).has_value());
    EXPECT_FALSE(gateway(cluster, 2).view().waits());
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeWitnessTest, TheOnlyStandbyReportsAHolderThatTheWitnessMissesToo) {
    FakeCluster cluster = pair_with_witness(false);
    cluster.mute_leases({1});
    cluster.pass(seconds(2));
    EXPECT_THAT(cluster.at(2).reports, Contains("score of checkpoint at gw1"));
}

TEST(NodeWitnessTest, TheOnlyStandbyReportsNoHolderThatTheWitnessReceives) {
    FakeCluster cluster = pair_with_witness(false);
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 1 && sent.to == NodeId{2};
    });
    cluster.pass(seconds(6));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
}

TEST(NodeWitnessTest, WithoutAWordOfItTheOnlyStandbyReportsNobody) {
    FakeCluster cluster = pair_with_witness(false);
    cluster.cut_from_witness({2});
    cluster.mute_leases({1});
    cluster.pass(seconds(6));
    EXPECT_THAT(cluster.at(2).reports, IsEmpty());
}

}  // namespace node_witness_test
}  // namespace vpnha::node
