// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes without a memory of the lease: what they say, and what ends their wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_cluster.hpp"

namespace vpnha::node {
namespace node_memory_test {

using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(NodeMemoryTest, ANewClusterServesAtOnce) {
    FakeCluster cluster = new_cluster();
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_TRUE(cluster.gate_open(2));
    cluster.pass(seconds(1));
    EXPECT_TRUE(cluster.lease(3).remembers());
    EXPECT_THAT(cluster.at(1).log, Not(Contains(HasSubstr("event=no-memory"))));
    cluster.kill(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeMemoryTest, APromotionWaitsForTheNodeThatWasNeverThere) {
    FakeCluster cluster = new_cluster();
    cluster.kill(3);
    cluster.lose_disk(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.at(1).node->find(kGateway)->view().waits());
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=waiting")));
    cluster.start(3);
    cluster.pass(seconds(2));
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeMemoryTest, WhoHasToReportIsNamedAndMayBeSparedByAnAdministrator) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.kill(3);
    cluster.kill(2);
    cluster.lose_disk(2);
    cluster.start(2);
    cluster.pass(seconds(2));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=no-memory gateway=l2tp")));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("missing=3")));
    EXPECT_FALSE(cluster.gate_open(1));
    cluster.run(2, cluster.at(2).node->vote_without(7, NodeId{1}, cluster.now()));
    EXPECT_FALSE(cluster.at(2).answers.at(7).has_value());
    cluster.run(2, cluster.at(2).node->vote_without(8, NodeId{3}, cluster.now()));
    EXPECT_TRUE(cluster.at(2).answers.at(8).has_value());
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=vote-without")));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=recalled")));
    // Node 1 has claimed in vain meanwhile. What node 2 forgot may have been another one's lease,
    // so node 1 gives back what it is granted now.
    EXPECT_TRUE(cluster.lease(2).remembers());
}

TEST(NodeMemoryTest, AMemberThatHasYetToReportIsNotSpared) {
    FakeCluster cluster(3);
    cluster.kill(2);
    cluster.lose_disk(2);
    cluster.mute_leases({3});
    cluster.start(2);
    cluster.pass(seconds(2));
    cluster.run(2, cluster.at(2).node->vote_without(7, NodeId{3}, cluster.now()));
    const Result<void> answer = cluster.at(2).answers.at(7);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Errc::busy);
}

TEST(NodeMemoryTest, ADifferentNodelistOfANewNodeIsAnError) {
    FakeCluster cluster = new_cluster();
    cluster.run(3, cluster.at(3).node->set_voters({NodeId{2}, NodeId{3}}, cluster.now()));
    cluster.pass(seconds(2));
    EXPECT_THAT(cluster.at(3).log, Contains(HasSubstr("event=voters-differ")));
    cluster.run(3,
                cluster.at(3).node->set_voters({NodeId{1}, NodeId{2}, NodeId{3}}, cluster.now()));
    cluster.pass(seconds(2));
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_TRUE(cluster.gate_open(1));
}

}  // namespace node_memory_test
}  // namespace vpnha::node
