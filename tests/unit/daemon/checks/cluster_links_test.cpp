// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/cluster_links.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace cluster_links_test {

using ::testing::HasSubstr;

std::vector<adapters::ClusterNode> two_nodes(std::vector<std::string> first,
                                             std::vector<std::string> second) {
    return {{NodeId{1}, std::move(first), "gw1"}, {NodeId{2}, std::move(second), "gw2"}};
}

TEST(ClusterLinksTest, OfTwoLinksTheOneInUseIsNotToBeTheOnlyOneThatCarries) {
    const auto nodes = two_nodes({"10.0.0.1", "10.0.1.1"}, {"10.0.0.2", "10.0.1.2"});
    for (const char* mode : {"passive", "rr"}) {
        const ClusterLinksCheck links = check_links(mode, nodes);
        EXPECT_TRUE(links.is_warning);
        EXPECT_THAT(links.text, HasSubstr("2 a node, but link_mode is " + std::string(mode)));
        EXPECT_THAT(links.text, HasSubstr("set link_mode: active"));
    }
    const ClusterLinksCheck links = check_links("active", nodes);
    EXPECT_FALSE(links.is_warning);
    EXPECT_EQ(links.text, "2 a node, link_mode active");
}

TEST(ClusterLinksTest, WithOneLinkThereIsNothingToChoose) {
    const ClusterLinksCheck links = check_links("passive", two_nodes({"10.0.0.1"}, {"10.0.0.2"}));
    EXPECT_FALSE(links.is_warning);
    EXPECT_EQ(links.text, "1 a node");
}

TEST(ClusterLinksTest, ALinkThatANodeIsNotOnIsNoneOfIt) {
    EXPECT_FALSE(check_links("passive", two_nodes({"", "10.0.1.1"}, {"10.0.0.2"})).is_warning);
    EXPECT_TRUE(check_links("passive", two_nodes({"", "10.0.1.1"}, {"10.0.0.2", "", "10.0.2.2"}))
                    .is_warning);
}

}  // namespace cluster_links_test
}  // namespace vpnha::runtime
