// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes, one of which is to have the role by plan.
#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_move_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class NodeMoveTest : public CalmCluster {
  protected:
    const GatewayNode& gateway(std::uint32_t node) {
        return *cluster_.at(node).node->find(kGateway);
    }
    Result<MovePlan> plan(std::uint32_t asked, std::optional<std::uint32_t> to = {}) {
        return gateway(asked).moves().plan(to ? std::optional(NodeId{*to}) : std::nullopt);
    }
    std::string refusal(std::uint32_t asked, std::optional<std::uint32_t> to = {}) {
        const Result<MovePlan> made = plan(asked, to);
        return made ? "" : made.error().detail;
    }
    void ask(std::uint32_t asked, std::uint32_t to) {
        const MovePlan move{NodeId{1}, NodeId{to}, cluster_.replica(asked).epoch()};
        cluster_.run(asked, cluster_.at(asked).node->ask_move(kGateway, move, cluster_.now()));
    }
    // As Pacemaker does it.
    void move(std::uint32_t from, std::uint32_t to) {
        ASSERT_TRUE(cluster_.begin_demote(from));
        ASSERT_TRUE(cluster_.promote(to));
    }
};

TEST_F(NodeMoveTest, TheTargetCallsForTheRoleWhicheverNodeWasAsked) {
    for (const std::uint32_t asked : {1U, 2U, 3U}) {
        SetUp();
        ask(asked, 2);
        EXPECT_THAT(scores(2), ElementsAre(kScoreCalls)) << "at once";
        EXPECT_THAT(scores(1), IsEmpty()) << "two changes would be two transitions";
        EXPECT_THAT(scores(3), IsEmpty());
        EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=move-asked")));
        cluster_.pass(seconds(10));
    }
}

TEST_F(NodeMoveTest, ACallThatNobodyRepeatsEndsByItself) {
    for (int i = 0; i < 10; ++i) {
        ask(3, 2);
        cluster_.pass(seconds(2));
    }
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls));
    cluster_.kill_process(3);  // Who asked is gone.
    cluster_.pass(milliseconds(900));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls));
    cluster_.pass(seconds(2));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls, kScoreComplete));
}

TEST_F(NodeMoveTest, TheRoleMovesWithItsSessionsAndTheMoveIsReportedToAll) {
    ask(3, 2);
    move(1, 2);
    cluster_.pass(seconds(2));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls, kScoreComplete));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        const std::optional<PlannedMove::Report>& report = gateway(node).moves().planned().report();
        ASSERT_TRUE(report) << node;
        EXPECT_EQ(report->epoch, cluster_.replica(2).epoch());
        EXPECT_EQ(report->to, NodeId{2});
        EXPECT_THAT(report->silence, Optional(testing::Lt(milliseconds(100)))) << node;
        EXPECT_THAT(report->had, Optional(1U)) << node;
        EXPECT_THAT(report->kept, Optional(1U)) << node;
    }
    EXPECT_EQ(gateway(2).view().counters().switchovers, 1U);
    EXPECT_EQ(gateway(3).view().counters().switchovers, 0U);
}

TEST_F(NodeMoveTest, WhatIsAskedLateMovesNothingBack) {
    const MovePlan late{NodeId{1}, NodeId{2}, cluster_.replica(3).epoch()};
    ask(3, 2);
    move(1, 2);
    move(2, 3);
    cluster_.pass(seconds(10));
    scores(2).clear();
    cluster_.at(2).log.clear();
    cluster_.run(3, cluster_.at(3).node->ask_move(kGateway, late, cluster_.now()));
    EXPECT_THAT(scores(2), IsEmpty());
    EXPECT_THAT(cluster_.at(2).log, IsEmpty());
    EXPECT_EQ(gateway(3).view().counters().switchovers, 0U) << "nobody asked for it";
}

TEST_F(NodeMoveTest, APromotionThatWaitsForTheLeaseKeepsTheCall) {
    ask(3, 2);
    ASSERT_TRUE(cluster_.begin_demote(1));
    cluster_.mute_leases({2});
    cluster_.begin_promote(2);
    cluster_.pass(milliseconds(1900));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls));
}

TEST_F(NodeMoveTest, APromotionUnderWayIsNotDisturbedByTheEndOfTheCall) {
    ask(3, 2);
    ASSERT_TRUE(cluster_.begin_demote(1));
    cluster_.at(2).lasting = takeover::Step::add_addresses;
    cluster_.begin_promote(2);
    cluster_.pass(seconds(6));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls));
    cluster_.finish_step(2);
    cluster_.pass(seconds(3));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls, kScoreComplete));
}

TEST_F(NodeMoveTest, APromotionThatFailsEndsTheCall) {
    ask(3, 2);
    ASSERT_TRUE(cluster_.begin_demote(1));
    cluster_.at(2).failing = {takeover::Step::open_gate};
    EXPECT_FALSE(cluster_.promote(2));
    cluster_.pass(seconds(6));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls)) << "while the role is on its way none changes";
    ASSERT_TRUE(cluster_.promote(3));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scores(2), ElementsAre(kScoreCalls, kScoreComplete));
    EXPECT_EQ(gateway(2).view().counters().switchovers, 0U);
    EXPECT_FALSE(gateway(3).moves().planned().report());
}

TEST_F(NodeMoveTest, TheBestNodeIsChosen) {
    EXPECT_EQ(plan(3).value_or(MovePlan{}).to, NodeId{2});
    carrier(2, LinkSide::outside, false);
    EXPECT_EQ(plan(1).value_or(MovePlan{}).to, NodeId{3});
    EXPECT_EQ(plan(2).value_or(MovePlan{}).to, NodeId{3}) << "of itself it knows it, too";
    carrier(3, LinkSide::inside, false);
    EXPECT_EQ(refusal(1),
              "no node can have gateway l2tp from gw1; gw2: its outside link is lost, or has been "
              "back for less than the hold-off; gw3: its inside link is lost, or has been back "
              "for less than the hold-off");
}

TEST_F(NodeMoveTest, WhatCannotBeIsRefusedInWords) {
    EXPECT_THAT(refusal(2, 1), HasSubstr("gw1 is promoted for gateway l2tp; name another node"));
    EXPECT_THAT(refusal(1, 9), HasSubstr("9 cannot have gateway l2tp: it takes no part"));
    carrier(2, LinkSide::outside, false);
    carrier(2, LinkSide::inside, false);
    EXPECT_THAT(refusal(3, 2), HasSubstr("its link of either side is lost"));
    cluster_.split({3});
    EXPECT_THAT(refusal(3, 2), HasSubstr("without quorum"));
    EXPECT_THAT(refusal(1, 3), HasSubstr("3 cannot have gateway l2tp: it takes no part"));
}

TEST_F(NodeMoveTest, ATargetThatIsNotInSyncIsRefusedAndDoesNotCall) {
    cluster_.at(2).refuses_sessions = true;
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    cluster_.pass(seconds(1));
    EXPECT_THAT(refusal(1, 2), HasSubstr("gw2 cannot have gateway l2tp: it is not in sync"));
    EXPECT_THAT(refusal(2, 2), HasSubstr("it is not in sync: "));
    scores(2).clear();
    ask(1, 2);
    EXPECT_THAT(scores(2), IsEmpty());
    EXPECT_EQ(plan(1).value_or(MovePlan{}).to, NodeId{3});
}

TEST_F(NodeMoveTest, NobodyIsMovedFromWhereNobodyIsPromoted) {
    ASSERT_TRUE(cluster_.demote(1));
    EXPECT_THAT(refusal(1), HasSubstr("no node is promoted for gateway l2tp"));
    ASSERT_TRUE(cluster_.detach(3));
    EXPECT_THAT(refusal(3), HasSubstr("this node takes no part in gateway l2tp"));
}

TEST_F(NodeMoveTest, ATargetThatLosesALinkStopsCalling) {
    ask(1, 2);
    carrier(2, LinkSide::outside, false);
    cluster_.pass(seconds(2));
    EXPECT_EQ(scores(2).back(), 70);
}

TEST_F(NodeMoveTest, WhileTheGroupTakesNothingOneQuestionWaits) {
    std::size_t asked = 0;
    const Effects blocked = cluster_.at(3).node->set_group_writable(false, cluster_.now());
    EXPECT_THAT(blocked, IsEmpty());
    for (int i = 0; i < 5; ++i) {
        ask(3, 2);
    }
    EXPECT_THAT(scores(2), IsEmpty());
    for (const Effect& effect : cluster_.at(3).node->set_group_writable(true, cluster_.now())) {
        asked += std::holds_alternative<SendToGroup>(effect) ? 1U : 0U;
    }
    EXPECT_EQ(asked, 1U);
}

}  // namespace node_move_test
}  // namespace vpnha::node
