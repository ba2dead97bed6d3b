// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/cluster_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<adapters::ClusterNode> kNodes{{NodeId{1}, {"10.0.0.1"}, "gw1"},
                                                {NodeId{7}, {"10.0.0.7"}, ""}};

TEST(ClusterNodesTest, EveryNodeVotes) {
    EXPECT_THAT(voters_of(kNodes).value(), ElementsAre(NodeId{1}, NodeId{7}));
}

TEST(ClusterNodesTest, MoreNodesThanALeaseCanHaveAreAnError) {
    std::vector<adapters::ClusterNode> nodes;
    for (std::uint32_t id = 1; id <= lease::kVotersMax; ++id) {
        nodes.push_back({NodeId{id}, {}, ""});
    }
    EXPECT_TRUE(voters_of(nodes).has_value());
    nodes.push_back({NodeId{lease::kVotersMax + 1}, {}, ""});
    EXPECT_THAT(voters_of(nodes).error().detail, HasSubstr("lists 8 nodes"));
    EXPECT_FALSE(voters_of({}).has_value());
}

TEST(ClusterNodesTest, ANodeAnnouncesTheNameThatPacemakerKnows) {
    EXPECT_EQ(own_name(kNodes, NodeId{1}, "gw1.example"), "gw1");
    EXPECT_EQ(own_name(kNodes, NodeId{7}, "gw7.example"), "gw7.example") << "it has no other one";
    EXPECT_EQ(own_name(kNodes, NodeId{9}, "gw9.example"), "gw9.example") << "not in the list yet";
}

TEST(ClusterNodesTest, ANodeIsFoundByNameAndById) {
    EXPECT_EQ(find_node(kNodes, "gw1"), NodeId{1});
    EXPECT_EQ(find_node(kNodes, "7"), NodeId{7});
    EXPECT_EQ(find_node(kNodes, "gw2"), std::nullopt);
    EXPECT_EQ(find_node(kNodes, ""), std::nullopt) << "not the one without a name";
}

TEST(ClusterNodesTest, TimesAreTheConfigurations) {
    config::Config config;
    config.lease_duration = std::chrono::milliseconds(400);
    config.lease_renew = std::chrono::milliseconds(120);
    EXPECT_EQ(timing_of(config).lease, std::chrono::milliseconds(400));
    EXPECT_EQ(timing_of(config).renew, std::chrono::milliseconds(120));
}

}  // namespace
}  // namespace vpnha::runtime
