// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes, one of whose sessions an operator ends.
#include <gmock/gmock.h>

#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_session_end_test {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NodeSessionEndTest : public CalmCluster {
  protected:
    [[nodiscard]] std::vector<keepers::SessionView> sessions(std::uint32_t node) {
        return cluster_.at(node).node->find(kGateway)->cores().keepers.sessions();
    }
    Result<void> end(std::uint32_t node) {
        constexpr RequestToken kRequest = 4711;
        cluster_.run(node, cluster_.at(node).node->end_session(
                               kRequest, kGateway, sessions(node).at(0).record, cluster_.now()));
        return cluster_.at(node).answers.at(kRequest);
    }
};

TEST_F(NodeSessionEndTest, AStockSessionIsEndedByItsPppd) {
    ASSERT_TRUE(end(1));
    EXPECT_THAT(cluster_.at(1).ended_plugins, ElementsAre(7));
}

TEST_F(NodeSessionEndTest, AResumedOneIsReportedToItsClientAndForgotten) {
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(seconds(1));
    cluster_.at(2).frames.clear();
    ASSERT_TRUE(end(2));
    EXPECT_THAT(cluster_.at(2).frames, Not(IsEmpty())) << "LCP Terminate-Request";
    EXPECT_THAT(cluster_.at(2).ended_plugins, IsEmpty());
    cluster_.pass(seconds(1));
    EXPECT_THAT(sessions(2), IsEmpty());
    EXPECT_THAT(sessions(3), IsEmpty());
}

TEST_F(NodeSessionEndTest, OnlyThePromotedNodeIsAsked) {
    const Result<void> refused = end(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    EXPECT_THAT(refused.error().detail, HasSubstr("is promoted for gateway"));
}

TEST_F(NodeSessionEndTest, ItsIdIsTheSameAtEachNode) {
    const std::string id = keepers::session_id(sessions(1).at(0).record);
    EXPECT_EQ(id.size(), 12U);
    EXPECT_EQ(keepers::session_id(sessions(2).at(0).record), id);
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    EXPECT_NE(keepers::session_id(sessions(1).at(1).record), id);
}

}  // namespace node_session_end_test
}  // namespace vpnha::node
