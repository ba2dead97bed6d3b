// SPDX-License-Identifier: GPL-2.0-or-later
// What a lease engine does with quorum, and without it.
#include <gmock/gmock.h>

#include <functional>

#include "cluster/lease/engine.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_quorum_test {

using ::testing::SizeIs;

TEST(EngineQuorumTest, WithoutQuorumNothingIsClaimed) {
    Cluster cluster;
    cluster.members(1, {NodeId{1}}, false);
    cluster.promote(1);
    EXPECT_EQ(cluster.phase(1), Phase::idle);
    EXPECT_EQ(cluster[1].next_deadline(), std::nullopt);
    cluster.members(1, nodes_to(3), true);
    cluster.live(milliseconds(10));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineQuorumTest, LosingQuorumGivesAClaimUpAndLeavesALease) {
    Cluster cluster;
    cluster.promote(1);
    cluster.members(1, {NodeId{1}}, false);
    cluster.live(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.speaks(1));
    cluster.promote(2);
    cluster.members(2, {NodeId{2}}, false);
    EXPECT_EQ(cluster.phase(2), Phase::idle);
}

// Node 1 is promoted, and its lease lapses in a storm of memberships: no node has a ring.
void lapse_without_quorum(Cluster& cluster, unsigned nodes = 3) {
    cluster.promote(1);
    for (const NodeId node : nodes_to(nodes)) {
        cluster.members(node.value, {node}, false);
    }
    cluster.wait(milliseconds(400));
    cluster.take(1);
}

TEST(EngineQuorumTest, ALeaseThatLapsesWithoutQuorumIsClaimedAnewWhereItsVotersAnswer) {
    Cluster cluster;
    lapse_without_quorum(cluster);
    cluster.live(milliseconds(10));
    EXPECT_TRUE(cluster.speaks(1));
    const std::vector<Granted> granted = all_of_kind<Granted>(cluster.take(1));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted[0].elsewhere, (Epoch{1, NodeId{}})) << "nobody else served";
    cluster.live(std::chrono::seconds(6));
    EXPECT_TRUE(cluster.speaks(1)) << "a voter without quorum misses nobody";
}

TEST(EngineQuorumTest, AClaimAfterALapseContinuesWhileRingsComeAndGo) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.live(milliseconds(400));
    ASSERT_EQ(cluster.phase(1), Phase::claiming);
    const Epoch claimed = cluster[1].holder().epoch();
    for (const bool quorate : {false, true, false}) {
        cluster.members(1, quorate ? nodes_to(3) : nodes_to(1), quorate);
        cluster.live(milliseconds(100));
        EXPECT_EQ(cluster[1].holder().epoch(), claimed) << "it continues to be in vain";
    }
    cluster.mend(1);
    cluster.live(milliseconds(100));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineQuorumTest, ALeaseThatLapsedIsNotClaimedAnewWhereTheVotersRingMissesItsNode) {
    Cluster cluster;
    cluster.promote(1);
    cluster.members(1, {NodeId{1}}, false);
    for (const unsigned voter : {2U, 3U}) {
        cluster.members(voter, {NodeId{2}, NodeId{3}}, true);
    }
    cluster.live(milliseconds(5500));
    ASSERT_FALSE(cluster.speaks(1));
    cluster.live(std::chrono::seconds(5));
    EXPECT_FALSE(cluster.speaks(1));
    cluster.promote(2);
    cluster.live(milliseconds(500));
    EXPECT_TRUE(cluster.speaks(2)) << "its claims hold nobody up";
}

TEST(EngineQuorumTest, WhoClaimsAnewWithoutQuorumLearnsOfWhoServedMeanwhile) {
    Cluster cluster;
    cluster.promote(1);
    cluster.members(1, {NodeId{1}}, false);
    cluster.cut(1);
    cluster.live(milliseconds(400));
    cluster.promote(2);
    cluster.live(milliseconds(500));
    ASSERT_TRUE(cluster.speaks(2));
    const Epoch second = cluster[2].holder().epoch();
    ASSERT_EQ(cluster.phase(1), Phase::claiming);
    cluster.mend(1);
    cluster.live(milliseconds(500));  // It has freed its vote first, for a promise's time.
    EXPECT_EQ(cluster.phase(1), Phase::idle) << "it bids no higher";
    EXPECT_LT(cluster[1].holder().epoch(), second);
    EXPECT_EQ(cluster[1].voter().granted(), second) << "its vote is that node's";
    EXPECT_TRUE(cluster.speaks(2));
    cluster.stop(2);
    cluster.live(milliseconds(500));
    EXPECT_FALSE(cluster.speaks(1));
    cluster.take(1);
    cluster.members(1, nodes_to(3), true);
    cluster.live(milliseconds(500));
    const std::vector<Granted> granted = all_of_kind<Granted>(cluster.take(1));
    ASSERT_FALSE(granted.empty());
    EXPECT_EQ(granted.back().elsewhere, second) << "so the node declines it";
}

// Whatever ends a lease in another way, or is ordered since, has quorum's veto again.
TEST(EngineQuorumTest, OnlyALapseIsClaimedAnewWithoutQuorum) {
    const std::function<Effects(Engine&, TimePoint)> orders[] = {
        [](Engine& engine, TimePoint now) { return engine.demote(now); },
        [](Engine& engine, TimePoint now) { return engine.release(false, now); },
        [](Engine& engine, TimePoint now) { return engine.decline(now); },
    };
    for (const auto& order : orders) {
        Cluster cluster;
        lapse_without_quorum(cluster);
        cluster.run(1, order(cluster[1], cluster.now()));
        cluster.promote(1);
        cluster.live(std::chrono::seconds(1));
        EXPECT_EQ(cluster.phase(1), Phase::idle);
        EXPECT_FALSE(cluster.speaks(1));
    }
    Cluster draining;
    draining.promote(1);
    draining.run(1, draining[1].demote(draining.now()));
    draining.wait(milliseconds(400));
    draining.live(milliseconds(10));
    ASSERT_EQ(draining.phase(1), Phase::idle);
    EXPECT_FALSE(draining[1].state().lapsed) << "nobody wants it";
    Cluster released;
    released.promote(1);
    released.members(1, {NodeId{1}}, false);
    released.run(1, released[1].release(false, released.now()));
    released.promote(1);
    released.live(std::chrono::seconds(1));
    EXPECT_FALSE(released.speaks(1));
}

// A claim of that epoch was granted since: only its own lapse counts.
TEST(EngineQuorumTest, ALapseOfAnEpochBeforeIsNone) {
    Cluster cluster;
    lapse_without_quorum(cluster);
    cluster.live(milliseconds(10));
    ASSERT_TRUE(cluster.speaks(1));
    EXPECT_FALSE(cluster[1].state().lapsed);
}

TEST(EngineQuorumTest, AVpnhadThatStartsAnewHasNothingThatLapsed) {
    Cluster cluster;
    lapse_without_quorum(cluster);
    cluster.start(1);
    cluster.wait(Timing{}.abstention());
    cluster.members(1, {NodeId{1}}, false);
    cluster.promote(1);
    cluster.live(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineQuorumTest, OfTwoVotersALeaseThatLapsedNeedsQuorum) {
    Cluster cluster(2);
    lapse_without_quorum(cluster, 2);
    cluster.live(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.speaks(1));
    cluster.members(1, nodes_to(2), true);
    cluster.live(milliseconds(10));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineQuorumTest, WhoseMarkIsReceivedClaimsNothingAnew) {
    Cluster cluster;
    cluster.promote(1);
    cluster.members(1, {NodeId{1}}, false);
    cluster.cut(1);
    cluster.live(milliseconds(400));
    const Result<Effects> marked = cluster[2].fence(NodeId{1}, boot_of(1), cluster.now());
    ASSERT_TRUE(marked.has_value());
    cluster.run(2, *marked);
    cluster.mend(1);
    cluster.live(std::chrono::seconds(1));
    EXPECT_TRUE(cluster[1].state().fenced);
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineQuorumTest, VotersWhoseGroupMissesTheHolderEndItsLeaseAfterFiveSeconds) {
    Cluster cluster;
    cluster.promote(1);
    for (const unsigned voter : {2U, 3U}) {
        cluster.members(voter, {NodeId{2}, NodeId{3}}, true);
    }
    cluster.live(milliseconds(4900));
    EXPECT_TRUE(cluster.speaks(1));
    cluster.live(milliseconds(600));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineQuorumTest, AVoterWithoutQuorumDoesNotJudgeByItsGroup) {
    Cluster cluster;
    cluster.promote(1);
    for (const unsigned voter : {2U, 3U}) {
        cluster.members(voter, {NodeId{voter}}, false);
    }
    cluster.live(std::chrono::seconds(6));
    EXPECT_TRUE(cluster.speaks(1));
}

}  // namespace engine_quorum_test
}  // namespace vpnha::lease
