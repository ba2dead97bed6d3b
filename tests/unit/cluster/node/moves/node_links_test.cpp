// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes whose links come and go.
#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_links_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NodeLinksTest : public CalmCluster {};

TEST_F(NodeLinksTest, APromotedNodeGivesTheGatewayToABetterOneByItsScore) {
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(199));
    EXPECT_THAT(scores(1), IsEmpty());
    cluster_.pass(milliseconds(1));
    EXPECT_THAT(scores(1), ElementsAre(70));
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=given-away")));
    EXPECT_THAT(cluster_.at(1).reports, IsEmpty()) << "no failure is counted";
    EXPECT_TRUE(cluster_.gate_open(1)) << "it serves until Pacemaker moves it";
    EXPECT_EQ(cluster_.lease(1).state().yields, lease::Yields::no) << "nobody stands in";
}

TEST_F(NodeLinksTest, WhoServesIsAnnouncedAgainWhenACarrierIsBack) {
    cluster_.pass(seconds(10));
    const int notified = cluster_.at(1).announcements;
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(50));
    EXPECT_EQ(cluster_.at(1).announcements, notified);
    carrier(1, LinkSide::outside, true);
    EXPECT_EQ(cluster_.at(1).announcements, notified + 1);
    cluster_.pass(seconds(11));
    EXPECT_EQ(cluster_.at(1).announcements, notified + 5) << "and later, as after a promotion";
    cluster_.run(1, cluster_.at(1).node->announce_again(kGateway, cluster_.now()));
    EXPECT_EQ(cluster_.at(1).announcements, notified + 6);
}

TEST_F(NodeLinksTest, AStandbyAnnouncesNothing) {
    const int notified = cluster_.at(2).announcements;
    carrier(2, LinkSide::outside, false);
    carrier(2, LinkSide::outside, true);
    cluster_.run(2, cluster_.at(2).node->announce_again(kGateway, cluster_.now()));
    cluster_.pass(seconds(11));
    EXPECT_EQ(cluster_.at(2).announcements, notified);
}

TEST_F(NodeLinksTest, AStandbyWithALostLinkIsWorthLessAtOnce) {
    carrier(2, LinkSide::inside, false);
    EXPECT_THAT(scores(2), ElementsAre(70));
    carrier(2, LinkSide::outside, false);
    EXPECT_THAT(scores(2), ElementsAre(70, 40));
    carrier(2, LinkSide::inside, true);
    carrier(2, LinkSide::outside, true);
    cluster_.pass(seconds(59));
    EXPECT_THAT(scores(2), ElementsAre(70, 40));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scores(2), ElementsAre(70, 40, 100));
}

TEST_F(NodeLinksTest, ADeadUpstreamMovesNobody) {
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(100));
    carrier(2, LinkSide::outside, false);
    carrier(3, LinkSide::outside, false);
    cluster_.pass(seconds(10));
    EXPECT_THAT(scores(1), IsEmpty());
    // Also when it comes back here last: who is promoted keeps the gateway.
    carrier(2, LinkSide::outside, true);
    carrier(3, LinkSide::outside, true);
    carrier(1, LinkSide::outside, true);
    cluster_.pass(seconds(90));
    EXPECT_THAT(scores(1), IsEmpty());
}

TEST_F(NodeLinksTest, AnotherSideThatIsLostElsewhereIsNoBetterLink) {
    carrier(1, LinkSide::outside, false);
    carrier(2, LinkSide::inside, false);
    carrier(3, LinkSide::inside, false);
    cluster_.pass(seconds(10));
    EXPECT_THAT(scores(1), IsEmpty());
}

TEST_F(NodeLinksTest, OnlyAStandbyInSyncIsBetter) {
    for (const std::uint32_t node : {2U, 3U}) {
        cluster_.at(node).refuses_sessions = true;
    }
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(500));
    EXPECT_THAT(scores(1), IsEmpty());
    for (const std::uint32_t node : {2U, 3U}) {
        cluster_.at(node).refuses_sessions = false;
    }
    cluster_.pass(seconds(10));
    EXPECT_THAT(scores(1), ElementsAre(70));
}

TEST_F(NodeLinksTest, ANodeWhoseLinkCameBackIsNotYetBetter) {
    carrier(2, LinkSide::outside, false);
    carrier(3, LinkSide::outside, false);
    carrier(2, LinkSide::outside, true);
    carrier(1, LinkSide::outside, false);
    cluster_.pass(seconds(59));
    EXPECT_THAT(scores(1), IsEmpty());
    cluster_.pass(seconds(2));
    EXPECT_THAT(scores(1), ElementsAre(70));
}

TEST_F(NodeLinksTest, TheNextNodeGivesItOnWhenItsOwnLinkIsLost) {
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(200));
    ASSERT_TRUE(cluster_.begin_demote(1));
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(seconds(5));
    scores(2).clear();
    carrier(2, LinkSide::outside, false);
    cluster_.pass(milliseconds(200));
    EXPECT_THAT(scores(2), ElementsAre(70)) << "node 3 was good all the time";
}

TEST_F(NodeLinksTest, AGatewayThatPacemakerLeavesHereIsWorthAllAgain) {
    carrier(1, LinkSide::outside, false);
    cluster_.pass(milliseconds(200));
    carrier(1, LinkSide::outside, true);
    cluster_.pass(seconds(59));
    EXPECT_THAT(scores(1), ElementsAre(70));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scores(1), ElementsAre(70, 100));
}

}  // namespace node_links_test
}  // namespace vpnha::node
