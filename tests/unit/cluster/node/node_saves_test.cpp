// SPDX-License-Identifier: GPL-2.0-or-later
// What a node does about a disk that is full, slow or stands still.
#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace node_saves_test {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Duration kWhile = std::chrono::milliseconds(1500);

TEST(NodeSavesTest, WhatANodeReportsOfTheLeaseWaitsForItsDisk) {
    FakeCluster cluster(3);
    cluster.stall_disks({1});
    (void)cluster.begin_promote(1);
    cluster.pass(kWhile);
    EXPECT_EQ(cluster.lease(2).voter().granted(), Epoch{}) << "the claim was not said";
    cluster.stall_disks({2, 3});
    cluster.finish_saves(1);
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_EQ(cluster.lease(2).voter().granted(), (Epoch{1, NodeId{1}}));
    EXPECT_FALSE(cluster.gate_open(1)) << "the answers were not said";
    cluster.stall_disks({});
    cluster.finish_saves(2);
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
}

TEST(NodeSavesTest, AVoterWithAFullDiskDoesNotVoteAndLives) {
    FakeCluster cluster(3);
    cluster.fill_disks({3});
    ASSERT_TRUE(cluster.promote(1).has_value()) << "the other two are a majority";
    cluster.kill(2);
    cluster.pass(std::chrono::seconds(2));
    EXPECT_FALSE(cluster.gate_open(1)) << "no vote that is not on the disk";
    EXPECT_EQ(cluster.disk(3)->granted, Epoch{});
    EXPECT_FALSE(cluster.at(3).node->find(kGateway)->cores().lease.saves().work());
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=not-saved")).Times(1));
    EXPECT_GT(cluster.at(3).node->find(kGateway)->view().counters().saves_failed, 1U)
        << "tried again";
    cluster.fill_disks({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1)) << "it votes as soon as it can";
    EXPECT_TRUE(cluster.at(3).node->find(kGateway)->cores().lease.saves().work());
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=saved ")));
    EXPECT_EQ(cluster.disk(3)->granted, cluster.lease(1).holder().epoch());
}

TEST(NodeSavesTest, ANodeWithAFullDiskIsGrantedNothingAndLives) {
    FakeCluster cluster(3);
    cluster.fill_disks({1});
    const Result<void> answer = cluster.promote(1);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("no majority of the voters"));
    EXPECT_EQ(cluster.lease(2).voter().granted(), Epoch{}) << "its claim was never said";
    EXPECT_EQ(cluster.state(1), takeover::State::standby);
    cluster.fill_disks({});
    EXPECT_TRUE(cluster.promote(1).has_value());
}

TEST(NodeSavesTest, AHolderServesOnWhileAllDisksAreFullAsLongAsItNeedNotClaim) {
    FakeCluster cluster = with_one_session();
    cluster.fill_disks({1, 2, 3});
    for (int second = 0; second < 60; ++second) {
        cluster.pass(std::chrono::seconds(1));
        ASSERT_TRUE(cluster.gate_open(1));
    }
    cluster.mute_leases({2, 3});
    cluster.pass(std::chrono::seconds(1));
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.gate_open(1)) << "it has to claim, and cannot";
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    cluster.fill_disks({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete) << "in the new epoch";
}

// C1 of the audit.
TEST(NodeSavesTest, ADiskThatRefusesIsAVoteLessBeforeItIsNeeded) {
    FakeCluster cluster = with_one_session();
    cluster.fill_disks({3});
    cluster.pass(std::chrono::seconds(61));
    EXPECT_FALSE(cluster.at(3).node->find(kGateway)->cores().lease.saves().work());
    EXPECT_EQ(cluster.at(3).node->find(kGateway)->view().standing(), wire::Level::partial);
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->voters().reserve(), 0)
        << "its votes are renewals alone";
    EXPECT_EQ(cluster.at(3).scores.back(), kScorePartial);
    EXPECT_TRUE(cluster.gate_open(1));
    cluster.fill_disks({});
    cluster.pass(std::chrono::seconds(3));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->voters().reserve(), 1);
    EXPECT_EQ(cluster.at(3).scores.back(), kScoreComplete);
}

TEST(NodeSavesTest, WhereNoMajorityCanSaveThePromotionWaitsWithItsSessions) {
    for (const bool noticed : {false, true}) {
        FakeCluster cluster = with_one_session();
        cluster.fill_disks({3});
        cluster.pass(noticed ? std::chrono::seconds(63) : std::chrono::seconds(1));
        cluster.kill(1);
        const RequestToken request = cluster.begin_promote(2);
        cluster.pass(std::chrono::seconds(3));
        ASSERT_TRUE(cluster.at(2).answers.contains(request)) << noticed;
        EXPECT_TRUE(cluster.at(2).answers.at(request).has_value())
            << cluster.at(2).answers.at(request).error().detail;
        EXPECT_THAT(cluster.at(2).kernel, SizeIs(1));
        EXPECT_FALSE(cluster.gate_open(2));
        cluster.fill_disks({});
        cluster.pass(std::chrono::seconds(1));
        EXPECT_TRUE(cluster.gate_open(2)) << noticed;
    }
}

TEST(NodeSavesTest, AHolderRenewsItsLeaseBesideAMarkThatIsNotSavedYet) {
    FakeCluster cluster = with_one_session();
    cluster.stall_disks({1});
    cluster.run(1, cluster.at(1).node->fence(9, NodeId{3}, std::chrono::seconds(5), cluster.now()));
    for (int ms = 0; ms < 1000; ms += 50) {
        cluster.pass(std::chrono::milliseconds(50));
        ASSERT_TRUE(cluster.gate_open(1));
    }
    EXPECT_FALSE(cluster.at(3).fenced) << "who marks has its own mark on the disk first";
    cluster.finish_saves(1);
    EXPECT_TRUE(cluster.at(3).fenced);
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeSavesTest, AChangeOfTheVotersIsReportedWhenItIsSaved) {
    FakeCluster cluster = with_one_session();
    cluster.stall_disks({1});
    cluster.run(1, cluster.at(1).node->set_voters({NodeId{1}, NodeId{2}}, cluster.now()));
    cluster.pass(std::chrono::milliseconds(200));
    ASSERT_TRUE(cluster.lease(1).state().voters.next.has_value());
    EXPECT_FALSE(cluster.lease(2).state().voters.next.has_value()) << "nothing of it was said";
    cluster.stall_disks({});
    cluster.finish_saves(1);
    cluster.pass(std::chrono::milliseconds(200));
    const std::vector<NodeId> voters{NodeId{1}, NodeId{2}};
    EXPECT_EQ(cluster.lease(1).state().voters.current.nodes, voters);
    EXPECT_EQ(cluster.lease(2).state().voters.current.nodes, voters);
}

TEST(NodeSavesTest, AHolderWhoseDiskRefusesChangesNoVotersAndServesOn) {
    for (const bool noticed : {false, true}) {
        FakeCluster cluster = with_one_session();
        const lease::Voters before = cluster.lease(1).state().voters;
        cluster.fill_disks({1});
        cluster.pass(noticed ? std::chrono::seconds(61) : std::chrono::seconds(1));
        ASSERT_EQ(cluster.at(1).node->find(kGateway)->cores().lease.saves().work(), !noticed);
        cluster.run(1, cluster.at(1).node->set_voters({NodeId{1}, NodeId{2}}, cluster.now()));
        for (int ms = 0; ms < 5000; ms += 50) {
            cluster.pass(std::chrono::milliseconds(50));
            ASSERT_TRUE(cluster.gate_open(1)) << noticed << " after " << ms << " ms";
        }
        EXPECT_EQ(cluster.lease(1).state().voters, before);
        EXPECT_FALSE(cluster.at(1).node->find(kGateway)->cores().lease.saves().work());
        cluster.fill_disks({});
        cluster.pass(std::chrono::seconds(1));
        const std::vector<NodeId> voters{NodeId{1}, NodeId{2}};
        EXPECT_EQ(cluster.lease(1).state().voters.current.nodes, voters) << noticed;
        EXPECT_EQ(cluster.lease(2).state().voters.current, cluster.lease(1).state().voters.current);
        EXPECT_TRUE(cluster.gate_open(1));
        const std::uint32_t change = cluster.lease(1).state().voters.current.version.change;
        EXPECT_EQ(change, noticed ? 1U : 2U) << "the version that was taken back is used up";
    }
}

// The list that it renews by is then in no file.
TEST(NodeSavesTest, AHolderWhoseDiskRefusesTheEndOfAChangeServesOnByBothLists) {
    FakeCluster cluster = with_one_session();
    cluster.stall_disks({1});
    cluster.run(1, cluster.at(1).node->set_voters({NodeId{1}, NodeId{2}}, cluster.now()));
    cluster.stall_disks({2, 3});  // They answer by the new lists when they have saved them.
    cluster.finish_saves(1);
    const lease::Voters both = cluster.disk(1)->voters;
    ASSERT_TRUE(both.next.has_value());
    cluster.fill_disks({1});
    cluster.stall_disks({});
    cluster.finish_saves(2);
    cluster.finish_saves(3);
    for (int ms = 0; ms < 5000; ms += 50) {
        cluster.pass(std::chrono::milliseconds(50));
        ASSERT_TRUE(cluster.gate_open(1)) << "after " << ms << " ms";
    }
    EXPECT_EQ(cluster.lease(1).state().voters, both);
    cluster.fill_disks({});
    cluster.pass(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.lease(1).state().voters.next.has_value());
    EXPECT_EQ(cluster.disk(1)->voters, cluster.lease(1).state().voters);
}

// Its engine has its own vote at once, its gateway when that is on the disk.
TEST(NodeSavesTest, AnOnlyVoterClaimsAboveAMemberOnceHoweverLongItsDiskTakes) {
    FakeCluster cluster(2, 1);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(std::chrono::seconds(11));
    cluster.stall_disks({1});
    wire::Hello hello;
    hello.version_min = hello.version_max = 1;
    hello.gateways.emplace_back().gateway = kGateway;
    hello.gateways.back().epoch = {1, NodeId{2}};
    cluster.emit(2, wire::Dialects().encode(hello, 1));
    cluster.pass(std::chrono::milliseconds(200));
    EXPECT_EQ(cluster.at(1).saving.size(), 1U);
    cluster.stall_disks({});
    cluster.finish_saves(1);
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(1).epoch(), (Epoch{2, NodeId{1}}));
}

TEST(NodeSavesTest, AGateThatIsToBeShutWaitsForNoDisk) {
    FakeCluster cluster = with_one_session();
    cluster.stall_disks({1});
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    (void)cluster.begin_promote(2);
    cluster.pass(std::chrono::milliseconds(20));
    EXPECT_EQ(cluster.at(1).gate, TimePoint{}) << "handed over, in its memory";
    EXPECT_FALSE(cluster.gate_open(2)) << "its word is not said yet";
    cluster.finish_saves(1);
    cluster.pass(std::chrono::milliseconds(20));
    EXPECT_TRUE(cluster.gate_open(2));
}

TEST(NodeSavesTest, ASuccessorThatWaitedForADiskIsNotTakenForDeaf) {
    FakeCluster cluster(5);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.mute_leases({2});
    cluster.stall_disks({1, 3, 4});
    (void)cluster.begin_promote(5);
    cluster.pass(std::chrono::milliseconds(1200));
    EXPECT_FALSE(cluster.gate_open(5));
    cluster.stall_disks({});
    for (const std::uint32_t node : {1U, 3U, 4U}) {
        cluster.finish_saves(node);
    }
    cluster.mute_leases({});
    cluster.pass(std::chrono::seconds(3));
    EXPECT_TRUE(cluster.gate_open(5));
    for (const std::uint32_t node : {1U, 2U, 3U, 4U}) {
        EXPECT_THAT(cluster.at(node).reports, Not(Contains(HasSubstr("gw5")))) << node;
    }
}

TEST(NodeSavesTest, ANodeThatVotesAloneOpensItsGateWhenItsEpochIsSaved) {
    FakeCluster cluster(2, 2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.fill_disks({1});
    cluster.kill(2);
    cluster.pass(std::chrono::seconds(1));
    ASSERT_FALSE(cluster.gate_open(1));
    cluster.run(1, cluster.at(1).node->confirm_dead(9, NodeId{2}, lease::Confirmed::by_operator,
                                                    cluster.now()));
    cluster.pass(kWhile);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_FALSE(cluster.lease(1).holder().serving()) << "it claims, and no more";
    cluster.fill_disks({});
    cluster.pass(std::chrono::milliseconds(300));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.replica(1).epoch(), cluster.lease(1).holder().epoch());
}

}  // namespace node_saves_test
}  // namespace vpnha::node
