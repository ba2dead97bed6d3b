// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/history.hpp"

#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace history_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using takeover::Step;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Optional;
using ::testing::Pair;

constexpr TimePoint kNow{seconds(100)};
constexpr Epoch kBefore{3, NodeId{1}};
constexpr Epoch kSelf{4, NodeId{2}};

lease::Sender sender_of(const Epoch& epoch) {
    return {epoch.node, {}, {}};
}

void handle_round(History& history, const Epoch& epoch, bool held, TimePoint now) {
    lease::Round round;
    round.id.epoch = epoch;
    round.held = held;
    history.on_message(sender_of(epoch), round, now);
}

TEST(HistoryTest, ARoleIsSinceItChanged) {
    History history;
    history.note_role("unpromoted", kNow);
    history.note_role("unpromoted", kNow + seconds(1));
    EXPECT_EQ(history.role_since(), kNow);
    history.note_role("promoted", kNow + seconds(2));
    EXPECT_EQ(history.role_since(), kNow + seconds(2));
}

TEST(HistoryTest, EachPhaseLastsUntilTheNextOneBegins) {
    History history;
    history.on_step(Step::grant, kNow);
    history.on_step(Step::open_gate, kNow + milliseconds(7));
    EXPECT_FALSE(history.last()) << "its gate is not open yet";
    history.on_opened(kSelf, kNow + milliseconds(8));
    ASSERT_TRUE(history.last());
    EXPECT_EQ(history.last()->at, kNow + milliseconds(8));
    EXPECT_EQ(history.last()->epoch, kSelf);
    EXPECT_EQ(history.last()->from, std::nullopt) << "nobody was heard";
    EXPECT_EQ(history.last()->silence, std::nullopt);
    history.on_step(Step::announce, kNow + milliseconds(8));
    history.on_finished(kNow + milliseconds(10));
    EXPECT_THAT(history.last()->phases, ElementsAre(Pair(Step::grant, milliseconds(7)),
                                                    Pair(Step::open_gate, milliseconds(1)),
                                                    Pair(Step::announce, milliseconds(2))));
    EXPECT_EQ(history.takeovers(), 1U);
    history.on_finished(kNow + seconds(1));
    EXPECT_EQ(history.last()->phases.size(), 3U);
}

TEST(HistoryTest, OneWhoseGateWasNeverOpenIsForgotten) {
    History history;
    history.on_step(Step::grant, kNow);
    history.on_step(Step::shut_gate, kNow + seconds(1));
    history.on_step(Step::mute_sessions, kNow + seconds(1));
    history.on_finished(kNow + seconds(2));
    EXPECT_FALSE(history.last());
    EXPECT_EQ(history.takeovers(), 0U);
}

TEST(HistoryTest, SilenceCountsFromTheLastWordOfTheNewestHolder) {
    History history;
    handle_round(history, kBefore, true, kNow);
    handle_round(history, {2, NodeId{3}}, true, kNow + milliseconds(40));
    handle_round(history, {5, NodeId{3}}, false, kNow + milliseconds(50));
    history.on_step(Step::grant, kNow + milliseconds(300));
    history.on_opened(kSelf, kNow + milliseconds(310));
    EXPECT_THAT(history.last()->from, Optional(NodeId{1}));
    EXPECT_THAT(history.last()->silence, Optional(Duration(milliseconds(310))));
}

TEST(HistoryTest, AGateThatWasShutInAHandOverIsTheLastWord) {
    History history;
    handle_round(history, kBefore, true, kNow);
    lease::Answer answer;
    answer.handover.emplace();
    answer.handover->released = kBefore;
    history.on_message(sender_of(kBefore), answer, kNow + milliseconds(60));
    history.on_step(Step::grant, kNow + milliseconds(55));
    history.on_opened(kSelf, kNow + milliseconds(70));
    EXPECT_THAT(history.last()->silence, Optional(Duration(milliseconds(10))));
}

TEST(HistoryTest, WhoServesAgainWasSilentSinceItsOwnGateWasShut) {
    History history;
    history.on_step(Step::grant, kNow);
    history.on_opened(kSelf, kNow);
    history.on_finished(kNow);
    history.on_step(Step::shut_gate, kNow + seconds(10));
    history.on_step(Step::grant, kNow + seconds(11));
    history.on_opened({6, NodeId{2}}, kNow + seconds(12));
    EXPECT_THAT(history.last()->from, Optional(NodeId{2}));
    EXPECT_THAT(history.last()->silence, Optional(Duration(seconds(2))));
    EXPECT_EQ(history.takeovers(), 2U);
}

TEST(HistoryTest, KnowsWhoHasServedSinceWhen) {
    History history;
    EXPECT_TRUE(history.holders().empty());
    handle_round(history, kBefore, true, kNow);
    handle_round(history, kBefore, true, kNow + seconds(1));
    handle_round(history, {5, NodeId{3}}, false, kNow + seconds(2));
    history.on_opened(kSelf, kNow + seconds(3));
    handle_round(history, kBefore, true, kNow + seconds(4));
    history.on_opened({6, kSelf.node}, kNow + seconds(5));
    EXPECT_THAT(history.holders(), ElementsAre(History::Holder{kBefore, kNow},
                                               History::Holder{{6, kSelf.node}, kNow + seconds(3)}))
        << "a claim is no grant, an old round is late, a node that claims anew has served on";
    for (std::uint32_t epoch = 7; epoch < 7 + 2 * History::kHoldersMax; ++epoch) {
        handle_round(history, {epoch, NodeId{1 + epoch % 2}}, true, kNow + seconds(epoch));
    }
    EXPECT_EQ(history.holders().size(), History::kHoldersMax);
    EXPECT_EQ(history.holders().back().epoch.number, 6 + 2 * History::kHoldersMax);
}

TEST(HistoryTest, RemembersTheMostRecords) {
    History history;
    for (const std::size_t count : {1U, 3U, 2U}) {
        history.note_records(count);
    }
    EXPECT_EQ(history.records_peak(), 3U);
}

// Whole nodes.
TEST(HistoryTest, AStandbyThatStandsInReportsASilenceOfAThirdOfASecond) {
    FakeCluster cluster(3, 3U, true);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(2));
    const GatewayNode& other = *cluster.at(3).node->find(kGateway);
    EXPECT_EQ(other.view().role(), "unpromoted");
    const TimePoint before = other.cores().history.role_since();
    cluster.hold(true);
    cluster.lose_power(1);
    cluster.pass(milliseconds(363));
    EXPECT_EQ(other.view().role(), "standing-in");
    EXPECT_GT(other.cores().history.role_since(), before);
    ASSERT_TRUE(other.cores().history.last());
    EXPECT_THAT(other.cores().history.last()->from, Optional(NodeId{1}));
    EXPECT_THAT(other.cores().history.last()->silence,
                Optional(AllOf(Ge(Duration(milliseconds(300))), Le(Duration(milliseconds(463))))));
    EXPECT_EQ(other.cores().history.last()->phases.front().first, Step::grant);
    EXPECT_EQ(other.view().counters().takeovers, 1U);
}

TEST(HistoryTest, AMoveIsSilentForLessThanARound) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(2));
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->view().role(), "promoted");
    ASSERT_TRUE(cluster.begin_demote(1));
    ASSERT_TRUE(cluster.promote(2));
    cluster.pass(seconds(1));
    const GatewayNode& now = *cluster.at(2).node->find(kGateway);
    EXPECT_EQ(now.view().role(), "promoted");
    ASSERT_TRUE(now.cores().history.last());
    EXPECT_EQ(now.cores().history.last()->epoch, cluster.replica(2).epoch());
    EXPECT_THAT(now.cores().history.last()->from, Optional(NodeId{1}));
    EXPECT_THAT(now.cores().history.last()->silence, Optional(Le(Duration(milliseconds(100)))));
    EXPECT_EQ(now.cores().history.last()->phases.back().first, Step::activate_services);
    const History::Holder newest{cluster.replica(2).epoch(), now.cores().history.last()->at};
    EXPECT_EQ(now.cores().history.holders().back(), newest);
    for (const std::uint32_t node : {1U, 3U}) {
        const auto& holders = cluster.at(node).node->find(kGateway)->cores().history.holders();
        EXPECT_EQ(holders.size(), 2U) << "node " << node;
        EXPECT_EQ(holders.back().epoch, newest.epoch) << "node " << node;
    }
}

}  // namespace history_test
}  // namespace vpnha::node
