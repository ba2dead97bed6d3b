// SPDX-License-Identifier: GPL-2.0-or-later
// Nodes without a memory: new ones, and ones whose disk was lost.
#include <gmock/gmock.h>

#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_memory_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Longer than an abstention and what follows it.
constexpr milliseconds kNotified{1000};

const VoterList& list_of(Cluster& cluster, unsigned node) {
    return cluster[node].state().voters.newest();
}

TEST(EngineMemoryTest, ANewClusterIsGrantedItsFirstEpochByAllItsNodes) {
    Cluster cluster(3, 0);
    cluster.promote(1);
    EXPECT_TRUE(cluster.speaks(1));
    cluster.live(milliseconds(200));
    for (const unsigned node : {1U, 2U, 3U}) {
        EXPECT_EQ(list_of(cluster, node).version, (ListVersion{{1, NodeId{1}}, 0})) << node;
        EXPECT_EQ(cluster.disk(node).voters.current, list_of(cluster, node)) << node;
    }
    // A majority is enough from there on.
    cluster.cut(3);
    cluster.live(std::chrono::seconds(2));
    EXPECT_TRUE(cluster.speaks(1));
}

// C13 of the audit: an old disk, as from a backup, counts as a memory.
TEST(EngineMemoryTest, AnOldDiskIsPutRightByTheFirstRoundOfWhoServes) {
    Cluster cluster(4);
    cluster.promote(1);
    const Durable old = cluster.disk(3);
    cluster.run(1, cluster[1].release(true, cluster.now()));
    cluster.promote(1);
    cluster.change_voters(1, nodes_to(3));
    cluster.live(milliseconds(200));
    const Epoch served = cluster[1].holder().epoch();
    ASSERT_GT(served, old.granted);
    ASSERT_NE(list_of(cluster, 3), old.voters.newest());
    cluster.stop(3);
    cluster.put_back(3, old);
    cluster.start(3);
    EXPECT_EQ(cluster[3].voter().granted(), old.granted);
    cluster.live(kNotified);
    EXPECT_EQ(cluster[3].voter().granted(), served);
    EXPECT_EQ(list_of(cluster, 3), list_of(cluster, 1));
    EXPECT_EQ(cluster.disk(3).granted, served);
}

// Until then a node that loses its holder waits for all of them again.
TEST(EngineMemoryTest, TheFirstGrantIsReportedAtOnceAndNotWithTheNextRenewal) {
    Cluster cluster(3, 0);
    cluster.promote(1);
    cluster.live(milliseconds(10));
    EXPECT_TRUE(cluster[2].remembers());
    EXPECT_TRUE(cluster[3].remembers());
}

TEST(EngineMemoryTest, ANewClusterWaitsForItsLastNode) {
    Cluster cluster(3, 0);
    cluster.cut(3);
    cluster.promote(1);
    cluster.live(std::chrono::seconds(2));
    EXPECT_FALSE(cluster.speaks(1));
    EXPECT_THAT(cluster[1].awaited(), ElementsAre(NodeId{3}));
    const std::vector<Awaits> emitted = all_of_kind<Awaits>(cluster.take(1));
    ASSERT_FALSE(emitted.empty());
    EXPECT_THAT(emitted.back().nodes, ElementsAre(NodeId{3}));
    cluster.mend(3);
    cluster.live(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_THAT(cluster[1].awaited(), IsEmpty());
}

// Node 1 serves alone; all have the new corosync.conf at once, and a new one is promoted.
TEST(EngineMemoryTest, NewNodesGrantNothingBesideOneThatRemembers) {
    for (const auto& [old, all] : {std::pair(1U, 3U), {2U, 5U}, {3U, 7U}}) {
        Cluster cluster(all, old);
        cluster.promote(1);
        cluster.cut(1);
        cluster.promote(all);
        EXPECT_FALSE(cluster.speaks(all)) << old;
        for (int i = 0; i < 200; ++i) {
            cluster.live(milliseconds(10));
            EXPECT_FALSE(cluster.speaks(1) && cluster.speaks(all)) << old;
        }
        // Of three that remember two are a majority by themselves.
        EXPECT_EQ(cluster.speaks(all), old == 3) << old;
    }
}

TEST(EngineMemoryTest, NewNodesTakeOverTheListOfThoseThatRemember) {
    for (const auto& [old, all] : {std::pair(1U, 3U), {2U, 5U}, {3U, 7U}}) {
        Cluster cluster(all, old);
        cluster.promote(1);
        cluster.live(kNotified);
        for (unsigned node = 1; node <= all; ++node) {
            EXPECT_EQ(list_of(cluster, node).nodes, nodes_to(old)) << node;
            EXPECT_TRUE(cluster[node].remembers());
        }
        EXPECT_THAT(all_of_kind<Recalled>(cluster.take(all)), SizeIs(1));
        // The holder makes them voters, one after the other.
        for (unsigned size = old + 1; size <= all; ++size) {
            cluster.change_voters(1, nodes_to(size));
            cluster.live(milliseconds(200));
        }
        EXPECT_EQ(list_of(cluster, all).nodes, nodes_to(all));
        EXPECT_TRUE(cluster.speaks(1));
    }
}

TEST(EngineMemoryTest, ANodeWithALostDiskVotesAgainWhenAllOthersHaveNotifiedIt) {
    Cluster cluster;
    cluster.promote(2);
    cluster.live(milliseconds(200));
    cluster.stop(1);
    cluster.start(3, false);
    cluster.live(kNotified);
    // Nodes 1 and 3 may have voted for something that node 2 does not know.
    EXPECT_FALSE(cluster[3].remembers());
    EXPECT_THAT(cluster[3].awaited(), ElementsAre(NodeId{1}));
    EXPECT_FALSE(cluster.speaks(2));
    cluster.start(1);
    cluster.live(kNotified);
    EXPECT_TRUE(cluster[3].remembers());
    EXPECT_EQ(cluster[3].voter().granted(), cluster[2].voter().granted());
    EXPECT_TRUE(cluster.speaks(2));
}

TEST(EngineMemoryTest, OfTwoNodesTheOtherOneReportsEverything) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.live(milliseconds(200));
    cluster.start(2, false);
    cluster.live(kNotified);
    EXPECT_TRUE(cluster[2].remembers());
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineMemoryTest, ANodeWithALostDiskClaimsNothingBelowWhatItHadGranted) {
    Cluster cluster;
    cluster.promote(2);
    cluster.run(2, cluster[2].release(true, cluster.now()));
    cluster.promote(3);
    cluster.run(3, cluster[3].release(true, cluster.now()));
    const Epoch granted = cluster[2].voter().granted();
    cluster.start(3, false);
    cluster.promote(3);
    cluster.live(std::chrono::seconds(2));
    EXPECT_TRUE(cluster.speaks(3));
    EXPECT_GT(cluster[3].holder().epoch(), granted);
}

TEST(EngineMemoryTest, ANodeThatWasGrantedTheFirstEpochAndLostItsDiskDoesNotClaimItAgain) {
    Cluster cluster(3, 0);
    cluster.live(kNotified);
    cluster.promote(1);
    ASSERT_TRUE(cluster.speaks(1));
    const Epoch first = cluster[1].holder().epoch();
    cluster.live(std::chrono::seconds(1));
    // It votes for itself, and is refused, before anybody tells it what it has forgotten.
    cluster.start(1, false);
    cluster.cut(1);
    cluster.live(kNotified);
    cluster.promote(1);
    EXPECT_EQ(cluster[1].voter().granted(), first);
    cluster.mend(1);
    cluster.live(std::chrono::seconds(3));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_GT(cluster[1].holder().epoch(), first);
}

TEST(EngineMemoryTest, MarksAreRemembered) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    const auto fenced = cluster[2].fence(NodeId{1}, boot_of(1), cluster.now());
    ASSERT_TRUE(fenced.has_value());
    cluster.run(2, *fenced);
    cluster.start(3, false);
    cluster.live(kNotified);
    EXPECT_FALSE(cluster[3].voter().is_marked(NodeId{1}, boot_of(1)));
    // Node 2 tells it, and whoever marks has to be one of a majority without node 1.
    cluster.mend(1);
    cluster.live(kNotified);
    EXPECT_TRUE(cluster[3].voter().is_marked(NodeId{1}, boot_of(1)));
    EXPECT_FALSE(cluster.speaks(1));
}

// An answer to a life before says nothing of what was granted since.
TEST(EngineMemoryTest, OnlyAnswersToThisLifeCount) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.cut(1);
    cluster.start(2, false);
    cluster.wait(Timing{}.abstention());
    Memory memory{Instance{1}, {5, NodeId{1}}, {}, cluster[1].state().voters};
    cluster.run(2, cluster[2].on_message(sender_of(1), memory, cluster.now()));
    EXPECT_FALSE(cluster[2].remembers());
    memory.to = Instance{2};
    cluster.run(2, cluster[2].on_message(sender_of(1), memory, cluster.now()));
    EXPECT_TRUE(cluster[2].remembers());
    EXPECT_EQ(cluster[2].voter().granted(), (Epoch{5, NodeId{1}}));
}

// Nobody else was needed for what it decided.
TEST(EngineMemoryTest, TheOnlyVoterWhoseDiskIsLostWaitsForAnAdministrator) {
    Cluster cluster(2);
    cluster.cut(1);
    cluster.start(2, false);
    cluster.wait(Timing{}.abstention());
    Memory memory{Instance{2}, {5, NodeId{1}}, {}, {}};
    memory.voters.current = {{{4, NodeId{2}}, 0}, {NodeId{2}}};
    memory.voters.next = VoterList{{{4, NodeId{2}}, 1}, nodes_to(2)};
    cluster.run(2, cluster[2].on_message(sender_of(1), memory, cluster.now()));
    EXPECT_FALSE(cluster[2].remembers());
    EXPECT_THAT(cluster[2].awaited(), ElementsAre(NodeId{2}));
    const auto done = cluster[2].vote_without(NodeId{2}, cluster.now());
    ASSERT_TRUE(done.has_value());
    cluster.run(2, *done);
    EXPECT_TRUE(cluster[2].remembers());
    EXPECT_EQ(cluster[2].state().voters, memory.voters);
    EXPECT_EQ(cluster[2].voter().granted(), (Epoch{5, NodeId{1}}));
}

TEST(EngineMemoryTest, NothingIsAskedBeforeTheAbstentionIsOver) {
    Cluster cluster(3, 0);
    cluster.start(1, false);
    cluster.take(1);
    cluster.live(Timing{}.abstention() - milliseconds(10));
    EXPECT_THAT(sent<Recall>(cluster.take(1)), IsEmpty());
    cluster.live(milliseconds(10));
    EXPECT_THAT(sent<Recall>(cluster.take(1)), SizeIs(2));
}

TEST(EngineMemoryTest, WhoHasVotedByAListIsBoundToItWhateverItIsConfiguredWith) {
    Cluster cluster(3, 0);
    cluster.cut(3);
    cluster.promote(1);
    // Node 2 has voted for node 1.
    Engine restarted({sender_of(2, 7), {}, {NodeId{2}}}, cluster.disk(2), cluster.now());
    EXPECT_EQ(restarted.state().voters.current.nodes, nodes_to(3));
    // Node 3 has not.
    cluster.run(3, cluster[3].configure({NodeId{3}}, cluster.now()));
    EXPECT_THAT(list_of(cluster, 3).nodes, ElementsAre(NodeId{3}));
    cluster.run(2, cluster[2].configure({NodeId{2}}, cluster.now()));
    EXPECT_EQ(list_of(cluster, 2).nodes, nodes_to(3));
}

// It has voted for itself by a list without node 1, which is a voter, as node 3 tells.
TEST(EngineMemoryTest, WhoIsBoundToAListAsksAllWhomItIsConfiguredWith) {
    Cluster cluster;
    cluster.start(2, false);
    cluster.run(2, cluster[2].configure({NodeId{2}, NodeId{3}}, cluster.now()));
    cluster.cut(2);
    cluster.live(kNotified);
    cluster.promote(2);
    EXPECT_THAT(list_of(cluster, 2).nodes, ElementsAre(NodeId{2}, NodeId{3}));
    EXPECT_NE(cluster[2].voter().granted(), Epoch{});
    cluster.mend(2);
    cluster.run(2, cluster[2].configure(nodes_to(3), cluster.now()));
    cluster.live(kNotified);
    EXPECT_TRUE(cluster[2].remembers());
    EXPECT_TRUE(cluster.speaks(2));
}

TEST(EngineMemoryTest, AnAdministratorsWordEndsTheWaitForANode) {
    Cluster cluster(3, 0);
    cluster.cut(3);
    cluster.promote(1);
    cluster.live(std::chrono::seconds(1));
    EXPECT_FALSE(cluster[1].vote_without(NodeId{2}, cluster.now()).has_value());
    for (const unsigned node : {1U, 2U}) {
        const auto done = cluster[node].vote_without(NodeId{3}, cluster.now());
        ASSERT_TRUE(done.has_value()) << node;
        cluster.run(node, *done);
        cluster.live(std::chrono::seconds(1));
    }
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_FALSE(cluster[1].vote_without(NodeId{3}, cluster.now()).has_value());
    // It was not as new as they said, but nothing was granted without them.
    cluster.mend(3);
    cluster.live(kNotified);
    EXPECT_TRUE(cluster[3].remembers());
}

TEST(EngineMemoryTest, TwoListsWithoutAVersionAreADifference) {
    Cluster cluster(3, 0);
    cluster.run(3, cluster[3].configure(nodes_to(4), cluster.now()));
    cluster.live(kNotified);
    EXPECT_THAT(cluster[1].state().differing, ElementsAre(NodeId{3}));
    EXPECT_THAT(cluster[3].state().differing, ElementsAre(NodeId{1}, NodeId{2}));
    cluster.promote(1);
    cluster.live(kNotified);
    EXPECT_FALSE(cluster.speaks(1));
    cluster.run(3, cluster[3].configure(nodes_to(3), cluster.now()));
    cluster.live(kNotified);
    EXPECT_THAT(cluster[1].state().differing, IsEmpty());
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineMemoryTest, WithoutAMemoryNoDeathIsConfirmed) {
    Cluster cluster(2, 0);
    cluster.cut(1);
    EXPECT_FALSE(
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now()).has_value());
}

}  // namespace engine_memory_test
}  // namespace vpnha::lease
