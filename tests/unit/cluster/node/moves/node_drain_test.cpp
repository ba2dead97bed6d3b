// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes, whose gateway is to accept no new clients.
#include <gmock/gmock.h>

#include "services/drain/keeper/drain.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_drain_test {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::uint64_t kSince = 1'800'000'000'000;

class NodeDrainTest : public CalmCluster {
  protected:
    Result<void> ask(std::uint32_t node, std::optional<std::uint64_t> since) {
        constexpr RequestToken kRequest = 4711;
        cluster_.run(node,
                     cluster_.at(node).node->drain(kRequest, kGateway, since, cluster_.now()));
        return cluster_.at(node).answers.at(kRequest);
    }
    bool drained(std::uint32_t node) {
        const auto* const keeper =
            cluster_.at(node).node->find(kGateway)->cores().keepers.find<keepers::Drain>();
        EXPECT_EQ(keeper->state().has_value(), cluster_.at(node).drained) << node;
        return cluster_.at(node).drained;
    }
};

TEST_F(NodeDrainTest, EveryNodesGateRefusesNewClientsUntilItIsOrdered) {
    ASSERT_TRUE(ask(1, kSince));
    cluster_.pass(seconds(1));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_TRUE(drained(node)) << node;
    }
    ASSERT_TRUE(ask(1, std::nullopt));
    cluster_.pass(seconds(1));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_FALSE(drained(node)) << node;
    }
}

TEST_F(NodeDrainTest, OnlyThePromotedNodeIsAsked) {
    const Result<void> refused = ask(2, kSince);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("is promoted for gateway"));
    cluster_.pass(seconds(1));
    EXPECT_FALSE(drained(1));
}

TEST_F(NodeDrainTest, ASuccessorIsDrainedAsWell) {
    ASSERT_TRUE(ask(1, kSince));
    cluster_.pass(seconds(1));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2));
    EXPECT_TRUE(drained(2));
    cluster_.start(1);
    cluster_.pass(seconds(5));
    EXPECT_TRUE(drained(1)) << "who comes back learns of it";
    ASSERT_TRUE(ask(2, std::nullopt));
    cluster_.pass(seconds(1));
    EXPECT_FALSE(drained(1));
}

TEST_F(NodeDrainTest, TheFirstTimeCounts) {
    ASSERT_TRUE(ask(1, kSince));
    ASSERT_TRUE(ask(1, kSince + 5));
    const auto* const keeper =
        cluster_.at(1).node->find(kGateway)->cores().keepers.find<keepers::Drain>();
    EXPECT_EQ(keeper->state(), keepers::DrainRecord{kSince});
}

TEST_F(NodeDrainTest, NothingRemainsWhereTheGatewayIsStopped) {
    ASSERT_TRUE(ask(1, kSince));
    cluster_.pass(seconds(1));
    cluster_.run(2, cluster_.at(2).node->detach(9, kGateway, cluster_.now()));
    cluster_.pass(kOthersHaveThem);
    EXPECT_FALSE(cluster_.at(2).drained);
}

}  // namespace node_drain_test
}  // namespace vpnha::node
