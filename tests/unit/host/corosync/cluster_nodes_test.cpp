// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/cluster_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace cluster_nodes_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<adapters::ClusterNode> kNodes{{NodeId{1}, {"10.0.0.1"}, "gw1"},
                                                {NodeId{7}, {"10.0.0.7"}, ""}};

TEST(ClusterNodesTest, EveryNodeVotes) {
    EXPECT_THAT(voters_of(kNodes, {}).value(), ElementsAre(NodeId{1}, NodeId{7}));
}

TEST(ClusterNodesTest, MoreNodesThanALeaseCanHaveAreAnError) {
    std::vector<adapters::ClusterNode> nodes;
    for (std::uint32_t id = 1; id <= lease::kVotersMax; ++id) {
        nodes.push_back({NodeId{id}, {}, ""});
    }
    EXPECT_TRUE(voters_of(nodes, {}).has_value());
    nodes.push_back({NodeId{lease::kVotersMax + 1}, {}, ""});
    EXPECT_THAT(voters_of(nodes, {}).error().detail, HasSubstr("lists 8 nodes"));
    EXPECT_FALSE(voters_of({}, {}).has_value());
}

TEST(ClusterNodesTest, AWitnessVotesBesideExactlyTwoNodes) {
    const config::Witness witness{"wit1", {{"wit1.example.net", 5421}}};
    EXPECT_THAT(voters_of(kNodes, witness).value(),
                ElementsAre(NodeId{1}, NodeId{7}, lease::kWitness));
    for (const std::uint32_t count : {1U, 3U}) {
        std::vector<adapters::ClusterNode> nodes;
        for (std::uint32_t id = 1; id <= count; ++id) {
            nodes.push_back({NodeId{id}, {}, ""});
        }
        EXPECT_EQ(voters_of(nodes, witness).error().detail,
                  "vpnha.toml names the witness 'wit1', which is a third vote beside two nodes, "
                  "and corosync.conf lists " +
                      std::to_string(count) +
                      ": leave 'witness' and 'witness_name' out of [lease]");
    }
}

TEST(ClusterNodesTest, AWitnessIsNoNodeThatCorosyncListsNoMore) {
    EXPECT_EQ(with_removed_voters(kNodes, kNodes, {NodeId{1}, lease::kWitness}), kNodes);
}

TEST(ClusterNodesTest, IdsThatAreKeptForWitnessesAreAnError) {
    for (const NodeId kept : {lease::kWitness, lease::kWitnessLast}) {
        const auto voters = voters_of({{NodeId{1}, {}, ""}, {kept, {}, ""}}, {});
        ASSERT_FALSE(voters.has_value());
        EXPECT_THAT(voters.error().detail, HasSubstr("kept for witnesses"));
    }
}

TEST(ClusterNodesTest, ANodeAnnouncesTheNameThatPacemakerKnows) {
    EXPECT_EQ(own_name(kNodes, NodeId{1}, "gw1.example"), "gw1");
    EXPECT_EQ(own_name(kNodes, NodeId{7}, "gw7.example"), "gw7.example") << "it has no other one";
    EXPECT_EQ(own_name(kNodes, NodeId{9}, "gw9.example"), "gw9.example") << "not in the list yet";
}

TEST(ClusterNodesTest, ANodeIsFoundByNameAndById) {
    EXPECT_EQ(find_node(kNodes, "gw1", {}), NodeId{1});
    EXPECT_EQ(find_node(kNodes, "7", {}), NodeId{7});
    EXPECT_EQ(find_node(kNodes, "gw2", {}), std::nullopt);
    EXPECT_EQ(find_node(kNodes, "", {}), std::nullopt) << "not the one without a name";
}

TEST(ClusterNodesTest, ANodeWithoutANameIsFoundByTheOneItsVpnhadAnnounced) {
    const Names announced{{NodeId{1}, "host1"}, {NodeId{7}, "host7"}, {NodeId{9}, "host9"}};
    EXPECT_EQ(find_node(kNodes, "host7", announced), NodeId{7});
    EXPECT_EQ(find_node(kNodes, "host1", announced), std::nullopt) << "corosync.conf says gw1";
    EXPECT_EQ(find_node(kNodes, "host9", announced), std::nullopt) << "not in corosync.conf";
    EXPECT_EQ(find_node(kNodes, "gw1", {{NodeId{7}, "gw1"}}), NodeId{1}) << "the one so named";
    EXPECT_EQ(find_node(kNodes, "", {{NodeId{7}, ""}}), std::nullopt);
    const std::vector<adapters::ClusterNode> nameless{{NodeId{1}, {}, ""}, {NodeId{7}, {}, ""}};
    EXPECT_EQ(
        find_node(nameless, "localhost", {{NodeId{1}, "localhost"}, {NodeId{7}, "localhost"}}),
        std::nullopt)
        << "one cannot tell which is meant";
}

TEST(ClusterNodesTest, ARemovedVoterIsKnownByItsLastName) {
    const std::vector<adapters::ClusterNode> listed{kNodes[1]};
    const std::vector<NodeId> voters{NodeId{1}, NodeId{3}, NodeId{7}};
    EXPECT_THAT(with_removed_voters(listed, kNodes, voters),
                ElementsAre(kNodes[0], adapters::ClusterNode{NodeId{3}, {}, ""}, kNodes[1]));
    EXPECT_EQ(with_removed_voters(listed, kNodes, {NodeId{7}}), listed);
}

TEST(ClusterNodesTest, WithoutAKeyOfTheClusterThereIsNoLease) {
    const std::string file = temporary_path("cluster-key");
    const auto missing = cluster_key_of(file);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::invalid_config);
    for (const char* part : {file.c_str(), "corosync-keygen", "totem.key", "totem.keyfile"}) {
        EXPECT_THAT(missing.error().detail, HasSubstr(part));
    }
    for (const std::size_t size : {0U, 127U}) {
        std::ofstream(file) << std::string(size, 'k');
        EXPECT_THAT(cluster_key_of(file).error().detail, HasSubstr("too short")) << size;
    }
    std::ofstream(file) << std::string(128, 'k');
    EXPECT_EQ(cluster_key_of(file).value().content(), std::string(128, 'k'));
    std::filesystem::remove(file);
}

TEST(ClusterNodesTest, TimesAreTheConfigurations) {
    config::Config config;
    config.lease_duration = std::chrono::milliseconds(400);
    config.lease_renew = std::chrono::milliseconds(120);
    EXPECT_EQ(timing_of(config).lease, std::chrono::milliseconds(400));
    EXPECT_EQ(timing_of(config).renew, std::chrono::milliseconds(120));
}

TEST(ClusterNodesTest, ALeaseThatSizesItselfBeginsWithTheWidest) {
    config::Config config;
    config.lease_duration.reset();
    config.clock_grain = std::chrono::milliseconds(20);
    EXPECT_EQ(timing_of(config).lease, std::chrono::milliseconds(300));
    EXPECT_EQ(timing_of(config).renew, std::chrono::milliseconds(75));
    EXPECT_EQ(timing_of(config).grain, std::chrono::milliseconds(20));
}

}  // namespace cluster_nodes_test
}  // namespace vpnha::runtime
