// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/nodes_view.hpp"

#include <gtest/gtest.h>

#include "unit/cluster/node/fake_cluster.hpp"

namespace vpnha::runtime {
namespace nodes_view_test {

using nlohmann::json;
using node::FakeCluster;

const std::vector<adapters::ClusterNode> kNodes{{NodeId{1}, {}, "gw1"}, {NodeId{2}, {}, "gw2"}};

class NodesViewTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(cluster_.promote(1)); }
    // What one node says of another, or of itself.
    json view(std::uint32_t seen_from, std::uint32_t of) {
        return nodes_view(*cluster_.at(seen_from).node, kNodes, cluster_.now())["nodes"][of - 1];
    }

    FakeCluster cluster_{2};
};

TEST_F(NodesViewTest, NamesAndItself) {
    const json self = view(2, 2);
    EXPECT_EQ(self["id"], 2);
    EXPECT_EQ(self["name"], "gw2");
    EXPECT_EQ(self["self"], true);
    EXPECT_EQ(self["fenced"], false);
    EXPECT_EQ(view(2, 1)["self"], false);
}

TEST_F(NodesViewTest, NodesWithoutANameAreCalledAsTheyIntroducedThemselvesAlsoWhenTheyAreLost) {
    const std::vector<adapters::ClusterNode> nameless{{NodeId{1}, {}, ""}, {NodeId{2}, {}, ""}};
    cluster_.kill(1);
    const json nodes = nodes_view(*cluster_.at(2).node, nameless, cluster_.now())["nodes"];
    EXPECT_EQ(nodes[0]["name"], "gw1");
    EXPECT_EQ(nodes[1]["name"], "gw2");
}

TEST_F(NodesViewTest, BothKnowWhoServesAlsoAfterTheyHaveLostEachOther) {
    for (const bool split : {false, true}) {
        if (split) {
            cluster_.split({2});
            cluster_.pass(std::chrono::seconds(5));
        }
        for (const std::uint32_t node : {1U, 2U}) {
            EXPECT_EQ(view(node, 1)["gateways"], 1) << node << split;
            EXPECT_EQ(view(node, 2)["gateways"], 0) << node << split;
        }
    }
}

TEST_F(NodesViewTest, ADrainingNodeServes) {
    ASSERT_TRUE(cluster_.begin_demote(1));
    EXPECT_EQ(view(1, 1)["gateways"], 1);
    cluster_.pass(std::chrono::seconds(3));
    EXPECT_EQ(view(1, 1)["gateways"], 0);
}

TEST_F(NodesViewTest, ALossIsAsOldAsTheGroupWithoutTheNode) {
    EXPECT_TRUE(view(2, 1)["lost_ms"].is_null()) << "a member";
    cluster_.split({2});
    EXPECT_EQ(view(2, 1)["lost_ms"], 0);
    cluster_.pass(std::chrono::milliseconds(700));
    EXPECT_EQ(view(2, 1)["lost_ms"], 700);
    EXPECT_EQ(view(1, 2)["lost_ms"], 700);
    EXPECT_TRUE(view(2, 2)["lost_ms"].is_null());
    cluster_.split({2});  // The same members once more.
    EXPECT_EQ(view(2, 1)["lost_ms"], 700);
    cluster_.heal();
    EXPECT_TRUE(view(2, 1)["lost_ms"].is_null());
}

TEST_F(NodesViewTest, ANodeThatWasNeverAMemberIsNotLost) {
    FakeCluster alone(1);
    const json seen = nodes_view(*alone.at(1).node, kNodes, alone.now())["nodes"][1];
    EXPECT_TRUE(seen["lost_ms"].is_null());
}

}  // namespace nodes_view_test
}  // namespace vpnha::runtime
