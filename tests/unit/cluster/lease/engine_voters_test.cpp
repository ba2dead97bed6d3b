// SPDX-License-Identifier: GPL-2.0-or-later
// Lists of voters: what changes of them leave behind, over restarts and in rounds that are open.
#include <gmock/gmock.h>

#include "cluster/lease/engine.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_voters_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Answer answer_to(const Round& round) {
    return {round.id, {}, std::nullopt};
}

// The rounds that a node asked since the last call, one for each k.
std::vector<Round> rounds_of(Cluster& cluster, unsigned node) {
    std::vector<Round> rounds;
    for (const Round& round : sent<Round>(cluster.take(node))) {
        if (rounds.empty() || rounds.back().id != round.id) {
            rounds.push_back(round);
        }
    }
    return rounds;
}

// Two changes, and a crash of a node that has learned both: what the configuration says of the
// voters is three nodes, of which the crashed one and an isolated one would be a majority.
TEST(EngineVotersTest, ANodeThatStartsAnewGoesByTheListOnItsDisk) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(3);
    cluster.change_voters(1, nodes_to(2));
    cluster.live(milliseconds(200));
    cluster.change_voters(1, nodes_to(1));
    cluster.live(milliseconds(200));
    ASSERT_EQ(cluster[1].state().voters.current.nodes, nodes_to(1));
    cluster.start(2);
    EXPECT_EQ(cluster[2].state().voters, cluster.disk(2).voters);
    cluster.cut(1);
    cluster.mend(3);
    cluster.live(milliseconds(700));
    cluster.promote(3);
    cluster.live(milliseconds(1500));
    EXPECT_TRUE(cluster.speaks(1)) << "alone by its list";
    EXPECT_FALSE(cluster.speaks(3));
}

TEST(EngineVotersTest, ANodeThatStartsAnewWithinAChangeKnowsBothLists) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    const Round round = cluster.change_voters(1, nodes_to(4));
    ASSERT_TRUE(round.voters.next.has_value());
    cluster.run(2, cluster[2].on_message(sender_of(1), round, cluster.now()));
    ASSERT_EQ(cluster[2].state().voters, round.voters);
    cluster.start(2);
    EXPECT_EQ(cluster[2].state().voters, round.voters);
}

// What was asked by one list alone says nothing of who has heard of the next one.
TEST(EngineVotersTest, AnswersToRoundsFromBeforeAChangeDoNotEndIt) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.take(1);
    cluster.live(milliseconds(100));
    const std::vector<Round> before = rounds_of(cluster, 1);
    ASSERT_THAT(before, SizeIs(1));
    const Round within = cluster.change_voters(1, nodes_to(2));
    cluster.run(1, cluster[1].on_message(sender_of(2), answer_to(before.front()), cluster.now()));
    EXPECT_TRUE(cluster[1].state().voters.next.has_value());
    cluster.run(1, cluster[1].on_message(sender_of(2), answer_to(within), cluster.now()));
    EXPECT_EQ(cluster[1].state().voters.current.nodes, nodes_to(2));
}

TEST(EngineVotersTest, AnswersToRoundsFromWithinAChangeDoNotCountBehindIt) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(3);
    cluster.cut(2);
    cluster.take(1);
    // Two rounds of the change are open; the second one's answers end it.
    cluster.change_voters(1, nodes_to(2));
    cluster.live(milliseconds(100));
    const std::vector<Round> within = rounds_of(cluster, 1);
    ASSERT_THAT(within, SizeIs(2));
    cluster.run(1, cluster[1].on_message(sender_of(2), answer_to(within.front()), cluster.now()));
    ASSERT_FALSE(cluster[1].state().voters.next.has_value());
    const TimePoint deadline = cluster[1].holder().state().deadline;
    cluster.run(1, cluster[1].on_message(sender_of(2), answer_to(within.back()), cluster.now()));
    EXPECT_EQ(cluster[1].holder().state().deadline, deadline);
}

// A claimant learns from a refusal that there is another list.
TEST(EngineVotersTest, AnswersToRoundsByAnOlderListDoNotCountForANewerOne) {
    Cluster cluster;
    cluster.cut(1);
    const Effects claim = cluster[1].promote(cluster.now());
    cluster.run(1, claim);
    const Round asked = sent<Round>(claim).at(0);
    Refusal refusal{asked.id, Verdict::foreign_voters, {}, asked.voters};
    refusal.voters.current = {{{9, NodeId{3}}, 1}, nodes_to(2)};
    cluster.run(1, cluster[1].on_message(sender_of(3), refusal, cluster.now()));
    ASSERT_EQ(cluster[1].state().voters, refusal.voters);
    cluster.run(1, cluster[1].on_message(sender_of(2), answer_to(asked), cluster.now()));
    EXPECT_FALSE(cluster.speaks(1));
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
}

TEST(EngineVotersTest, AListThatANewerHolderMadeIsNotChangedByAnOlderOne) {
    Cluster cluster;
    cluster.promote(1);
    Round round;
    round.id = {{2, NodeId{2}}, {1}, 1};
    round.lease = Timing{}.lease;
    round.voters.current = {{{2, NodeId{2}}, 1}, {NodeId{2}, NodeId{3}}};
    static_cast<void>(cluster[1].on_message(sender_of(2), round, cluster.now()));
    ASSERT_EQ(cluster[1].state().voters, round.voters);
    ASSERT_EQ(cluster.phase(1), Phase::holding);
    EXPECT_FALSE(cluster[1].change_voters(nodes_to(3), cluster.now()).has_value());
    EXPECT_TRUE(is_sound(cluster[1].state().voters));
}

// The node itself is bound by what it promised to its own epoch, until that is dead.
TEST(EngineVotersTest, ALapsedHolderIsGrantedTheNextEpochWithoutWaitingForItsOwnPromise) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.cut(2);
    cluster.live(milliseconds(310));
    ASSERT_FALSE(cluster.speaks(1));
    ASSERT_LT(cluster.now(), cluster[1].voter().state().promise.until)
        << "its own answers continued for as long as its rounds";
    cluster.mend(2);
    cluster.live(milliseconds(100));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].holder().epoch(), (Epoch{2, NodeId{1}}));
}

TEST(EngineVotersTest, AReleasedHolderIsGrantedTheNextEpochAtOnce) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.run(1, cluster[1].release(true, cluster.now()));
    cluster.promote(1);
    EXPECT_TRUE(cluster.speaks(1));
}

// An old refusal may be played back, or be late.
TEST(EngineVotersTest, TheMarkOfAnEarlierLifeDoesNotFenceThisOne) {
    Cluster cluster;
    const Round before = sent<Round>(cluster[1].promote(cluster.now())).at(0);
    const Refusal marked{before.id, Verdict::marked, {2, NodeId{}}, before.voters};
    cluster.start(1);
    cluster.take(1);
    cluster.run(1, cluster[1].on_message(sender_of(2), marked, cluster.now()));
    EXPECT_FALSE(cluster[1].state().fenced);
    EXPECT_THAT(all_of_kind<Fenced>(cluster.take(1)), IsEmpty());
    cluster.wait(Timing{}.abstention());
    cluster.promote(1);
    Round now = before;
    now.id.instance = Instance{2};
    cluster.run(
        1, cluster[1].on_message(sender_of(2), Refusal{now.id, Verdict::marked, {}, now.voters},
                                 cluster.now()));
    EXPECT_TRUE(cluster[1].state().fenced);
}

}  // namespace engine_voters_test
}  // namespace vpnha::lease
