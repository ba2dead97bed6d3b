// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace vpnha {
namespace ids_test {

TEST(EpochTest, IsOrderedByNumberThenNode) {
    EXPECT_LT((Epoch{1, NodeId{9}}), (Epoch{2, NodeId{1}}));
    EXPECT_LT((Epoch{2, NodeId{1}}), (Epoch{2, NodeId{2}}));
    EXPECT_EQ(to_string(Epoch{7, NodeId{2}}), "7.2");
}

TEST(NodeIdTest, SeveralAreListedWithCommas) {
    EXPECT_EQ(node_list(std::vector<NodeId>{}), "");
    EXPECT_EQ(node_list(std::vector{NodeId{3}}), "3");
    EXPECT_EQ(node_list(std::set{NodeId{12}, NodeId{1}}), "1,12");
}

TEST(Ipv4Test, PrintsAndParsesTheSameText) {
    for (const char* text : {"0.0.0.0", "192.0.2.100", "255.255.255.255"}) {
        const Result<Ipv4Address> address = parse_ipv4(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_EQ(to_string(*address), text);
    }
}

TEST(Ipv4Test, RefusesWhatIsNoDottedQuad) {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.-4",
                             " 1.2.3.4", "1.2.3.4 ", "1..2.3"}) {
        EXPECT_FALSE(parse_ipv4(text).has_value()) << text;
    }
}

}  // namespace ids_test
}  // namespace vpnha
