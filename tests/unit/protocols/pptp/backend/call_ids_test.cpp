// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_ids.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace call_ids_test {

using adapters::ClusterNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ClusterNode node(std::uint32_t id, const std::string& name) {
    return {.id = NodeId{id}, .links = {}, .name = name};
}

TEST(CallIdsTest, NodesHaveIdsOfTheirOwn) {
    EXPECT_THAT(shared_call_ids({}), IsEmpty());
    EXPECT_THAT(shared_call_ids({node(1, "gw1"), node(2, "gw2"), node(16, "gw16")}), IsEmpty());
}

TEST(CallIdsTest, TwoThatShareThemAreNamed) {
    EXPECT_THAT(shared_call_ids({node(1, "gw1"), node(2, "gw2"), node(17, "gw17"), node(34, "")}),
                ElementsAre(AllOf(HasSubstr("gw1 (1) and gw17 (17)"), HasSubstr("modulo 16"),
                                  HasSubstr("call_id_offset")),
                            HasSubstr("gw2 (2) and node 34")));
}

}  // namespace call_ids_test
}  // namespace vpnha::runtime
