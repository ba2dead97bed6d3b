// SPDX-License-Identifier: GPL-2.0-or-later
// Lists of voters, fencing, two nodes.
#include <gmock/gmock.h>

#include "cluster/lease/engine.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_fence_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

void fence(Cluster& cluster, unsigned by, unsigned victim) {
    Result<Effects> effects = cluster[by].fence(NodeId{victim}, boot_of(victim), cluster.now());
    ASSERT_TRUE(effects.has_value());
    cluster.run(by, *effects);
}

TEST(EngineFenceTest, FencingIsDoneWhenTheMarksHaveRunOutOnAMajority) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    fence(cluster, 2, 1);
    EXPECT_THAT(all_of_kind<RunOut>(cluster.take(2)), IsEmpty());
    cluster.live(milliseconds(505));
    fence(cluster, 2, 1);
    EXPECT_THAT(all_of_kind<RunOut>(cluster.take(2)), IsEmpty());
    cluster.live(milliseconds(10));
    fence(cluster, 2, 1);
    EXPECT_THAT(all_of_kind<RunOut>(cluster.take(2)), SizeIs(1));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineFenceTest, OneMarkerIsNoMajority) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.cut(3);
    fence(cluster, 2, 1);
    cluster.live(std::chrono::seconds(1));
    fence(cluster, 2, 1);
    EXPECT_THAT(all_of_kind<RunOut>(cluster.take(2)), IsEmpty());
}

// A majority of a list that was is none.
TEST(EngineFenceTest, MarkersAreCountedByTheNewestListThatOneOfThemKnows) {
    Cluster cluster;
    Result<Effects> asked = cluster[2].fence(NodeId{1}, boot_of(1), cluster.now());
    ASSERT_TRUE(asked.has_value());
    ASSERT_THAT(all_of_kind<RunOut>(*asked), IsEmpty());
    const Voters newer{{{{4, NodeId{3}}, 1}, nodes_to(4)}, std::nullopt};
    const MarkAnswer answer{NodeId{1}, boot_of(1), true, newer};
    const Effects by_two = cluster[2].on_message(sender_of(3), answer, cluster.now());
    EXPECT_EQ(cluster[2].state().voters, newer);
    EXPECT_THAT(all_of_kind<RunOut>(by_two), IsEmpty()) << "two of four";
    const Effects by_three = cluster[2].on_message(sender_of(4), answer, cluster.now());
    EXPECT_THAT(all_of_kind<RunOut>(by_three), SizeIs(1));
}

TEST(EngineFenceTest, AMarkIsOnDiskBeforeItIsConfirmed) {
    Cluster cluster;
    cluster.promote(1);
    const Effects effects =
        cluster[3].on_message(sender_of(2), MarkRequest{NodeId{1}, boot_of(1)}, cluster.now());
    ASSERT_TRUE(std::holds_alternative<SaveDurable>(effects.at(0)));
    const Durable& durable = std::get<SaveDurable>(effects[0]).durable;
    EXPECT_EQ(durable.marks, (std::vector<Mark>{{NodeId{1}, boot_of(1)}}));
    EXPECT_EQ(durable.granted, (Epoch{2, NodeId{}}));
}

TEST(EngineFenceTest, ANodeThatLearnsOfItsMarkFallsSilentForGood) {
    Cluster cluster;
    cluster.promote(1);
    cluster.take(1);
    fence(cluster, 2, 1);
    EXPECT_FALSE(cluster.speaks(1));
    const Effects effects = cluster.take(1);
    EXPECT_THAT(all_of_kind<Fenced>(effects), SizeIs(1));
    EXPECT_EQ(all_of_kind<Ended>(effects).at(0).why, End::fenced);
    cluster.promote(1);
    cluster.live(std::chrono::seconds(2));
    EXPECT_EQ(cluster.phase(1), Phase::idle);
}

TEST(EngineFenceTest, ANodeThatMissedItsMarkLearnsOfItWithTheNextRound) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    fence(cluster, 2, 1);
    cluster.mend(1);
    cluster.live(milliseconds(100));
    EXPECT_THAT(all_of_kind<Fenced>(cluster.take(1)), SizeIs(1));
}

TEST(EngineFenceTest, AMarkOutlivesTheDaemonOnTheVictimToo) {
    Cluster cluster;
    cluster.promote(1);
    fence(cluster, 2, 1);
    cluster.start(1);
    EXPECT_TRUE(cluster[1].state().fenced);
}

TEST(EngineFenceTest, AMarkedLifeHasNobodyMarked) {
    Cluster cluster;
    const auto request = [&cluster](unsigned by, unsigned victim) {
        return sent<MarkAnswer>(cluster[3].on_message(
            sender_of(by), MarkRequest{NodeId{victim}, boot_of(victim)}, cluster.now()));
    };
    const Marks marks{{NodeId{1}, boot_of(1)}};
    EXPECT_EQ(request(2, 1).at(0).marks, marks);
    EXPECT_EQ(request(1, 2).at(0).marks, marks);
    EXPECT_THAT(request(1, 3), SizeIs(1));
    EXPECT_FALSE(cluster[3].state().fenced);
}

TEST(EngineFenceTest, MarksOfStrangersAreNotKept) {
    Cluster cluster;
    EXPECT_THAT(
        cluster[2].on_message(sender_of(1), MarkRequest{NodeId{9}, boot_of(9)}, cluster.now()),
        IsEmpty());
    EXPECT_FALSE(cluster[2].fence(NodeId{9}, boot_of(9), cluster.now()).has_value());
}

void expect_fenced(Cluster& cluster, unsigned by, unsigned victim) {
    fence(cluster, by, victim);
    cluster.live(milliseconds(700));
    fence(cluster, by, victim);
    EXPECT_THAT(all_of_kind<RunOut>(cluster.take(by)), SizeIs(1));
}

void expect_no_lease(Cluster& cluster, unsigned node) {
    cluster.promote(node);
    cluster.live(std::chrono::seconds(3));
    EXPECT_FALSE(cluster.speaks(node));
}

// The two that marked node 1 vote no more, or are off; node 4 was off when they did.
TEST(EngineFenceTest, AVoterThatMissedAMarkLearnsItInAChangeOfTheVoters) {
    Cluster cluster(4);
    cluster.cut(1);
    cluster.promote(2);
    cluster.change_voters(2, nodes_to(3));
    cluster.live(milliseconds(200));
    cluster.cut(4);
    expect_fenced(cluster, 2, 1);
    cluster.mend(4);
    cluster.change_voters(2, nodes_to(4));
    cluster.live(milliseconds(200));
    cluster.change_voters(2, {NodeId{1}, NodeId{2}, NodeId{4}});
    cluster.live(milliseconds(200));
    ASSERT_FALSE(cluster[4].state().voters.next.has_value());
    cluster.stop(3);
    cluster.stop(2);
    cluster.mend(1);
    expect_no_lease(cluster, 1);
}

// Its rounds are answered by those that marked node 1 while it was off.
TEST(EngineFenceTest, AHolderHasAMarkOnDiskBeforeItEndsAChange) {
    Cluster cluster(5);
    cluster.cut(1);
    cluster.cut(4);
    expect_fenced(cluster, 2, 1);
    cluster.mend(4);
    cluster.promote(4);
    cluster.take(4);
    cluster.change_voters(4, nodes_to(4));
    const Effects effects = cluster.take(4);
    ASSERT_THAT(all_of_kind<VotersChanged>(effects), SizeIs(1));
    const Durable ended = all_of_kind<SaveDurable>(effects).back().durable;
    EXPECT_EQ(ended.voters.current.nodes, nodes_to(4));
    EXPECT_EQ(ended.marks, (Marks{{NodeId{1}, boot_of(1)}}));
}

// Node 1 votes no more when nodes 4 and 5 come, and votes again when those that marked it are gone.
TEST(EngineFenceTest, TheMarkOfANodeThatVotesNoMoreIsLearnedToo) {
    Cluster cluster(5, 3);
    cluster.cut(1);
    cluster.promote(2);
    expect_fenced(cluster, 2, 1);
    const auto change = [&cluster](unsigned holder, const std::vector<unsigned>& voters) {
        std::vector<NodeId> nodes;
        for (const unsigned voter : voters) {
            nodes.push_back(NodeId{voter});
        }
        cluster.change_voters(holder, nodes);
        cluster.live(milliseconds(200));
        ASSERT_EQ(cluster[4].state().voters.current.nodes, nodes);
    };
    cluster.change_voters(2, {NodeId{2}, NodeId{3}});
    cluster.live(milliseconds(200));
    change(2, {2, 3, 4});
    change(2, {2, 3, 4, 5});
    change(2, {2, 4, 5});
    cluster.run(2, cluster[2].release(true, cluster.now()));
    cluster.promote(5);
    cluster.stop(3);
    cluster.stop(2);
    change(5, {4, 5});
    cluster.mend(1);
    change(5, {1, 4, 5});
    cluster.stop(5);
    expect_no_lease(cluster, 1);
}

TEST(EngineFenceTest, ANewerListIsOnDiskWithTheMarksThatGoWithIt) {
    Cluster cluster;
    Round round;
    round.id = {{4, NodeId{3}}, {1}, 1};
    round.lease = Timing{}.lease;
    round.voters = {{{{4, NodeId{3}}, 1}, nodes_to(4)}, std::nullopt};
    round.marks = {{NodeId{1}, boot_of(1)}};
    const Effects effects = cluster[2].on_message(sender_of(3), round, cluster.now());
    ASSERT_TRUE(std::holds_alternative<SaveDurable>(effects.at(0)));
    const Durable& durable = std::get<SaveDurable>(effects[0]).durable;
    EXPECT_EQ(durable.voters, round.voters);
    EXPECT_EQ(durable.marks, round.marks);
    EXPECT_EQ(sent<Answer>(effects).at(0).marks, round.marks);
}

TEST(EngineFenceTest, ANodeLearnsItsOwnMarkFromEveryListOfVoters) {
    const Voters voters = Cluster()[1].state().voters;
    const Marks marks{{NodeId{1}, boot_of(1)}};
    const RoundId own{{1, NodeId{1}}, {1}, 1};
    Round round{{{1, NodeId{2}}, {1}, 1}, {}, Timing{}.lease, false, voters, {}, {}, false};
    round.marks = marks;
    Answer answer{own, {}, {}};
    answer.marks = marks;
    const std::vector<Message> messages{
        round,
        answer,
        Refusal{own, Verdict::promised, {}, voters, marks},
        MarkAnswer{NodeId{3}, boot_of(3), false, voters, marks},
        Question{{{1, NodeId{2}}, {1}, 1}, voters, {}, marks},
    };
    for (const Message& message : messages) {
        Cluster cluster;
        const Effects effects = cluster[1].on_message(sender_of(2), message, cluster.now());
        EXPECT_THAT(all_of_kind<Fenced>(effects), SizeIs(1)) << message.index();
    }
}

TEST(EngineFenceTest, TwoNodesCannotFenceByMarks) {
    Cluster cluster(2);
    const auto refused = cluster[2].fence(NodeId{1}, boot_of(1), cluster.now());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST(EngineFenceTest, AChangeOfVotersEndsWithMajoritiesOfBothLists) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(3);
    const Round round = cluster.change_voters(1, nodes_to(2));
    EXPECT_TRUE(round.voters.next.has_value());
    EXPECT_EQ(cluster[1].state().voters.current.nodes, nodes_to(2));
    EXPECT_FALSE(cluster[1].state().voters.next.has_value());
    cluster.live(milliseconds(100));
    EXPECT_EQ(cluster.disk(2).voters, cluster[1].state().voters);
}

TEST(EngineFenceTest, AChangeWaitsForAMajorityOfTheNewList) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(2);
    cluster.live(milliseconds(200));
    cluster.change_voters(1, nodes_to(2));
    cluster.live(milliseconds(100));
    EXPECT_TRUE(cluster[1].state().voters.next.has_value());
    cluster.mend(2);
    cluster.live(milliseconds(200));
    EXPECT_FALSE(cluster[1].state().voters.next.has_value());
}

TEST(EngineFenceTest, OnlyAHolderChangesTheVotersAndOneNodeAtATime) {
    Cluster cluster;
    EXPECT_FALSE(cluster[1].change_voters(nodes_to(2), cluster.now()).has_value());
    cluster.promote(1);
    EXPECT_FALSE(cluster[1].change_voters({NodeId{1}}, cluster.now()).has_value());
    EXPECT_FALSE(cluster[1].change_voters(nodes_to(3), cluster.now()).has_value());
    cluster.cut(2);
    cluster.cut(3);
    EXPECT_TRUE(cluster[1].change_voters(nodes_to(4), cluster.now()).has_value());
    EXPECT_FALSE(cluster[1].change_voters(nodes_to(5), cluster.now()).has_value());
}

TEST(EngineFenceTest, ANodeThatMissedTheChangeLearnsItFromARefusal) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(3);
    cluster.change_voters(1, nodes_to(2));
    cluster.run(1, cluster[1].release(true, cluster.now()));
    cluster.mend(3);
    cluster.promote(3);
    EXPECT_EQ(cluster[3].state().voters, cluster[1].state().voters);
    EXPECT_FALSE(cluster.speaks(3));
}

// Of the four voters from before no majority is left, and none is needed.
TEST(EngineFenceTest, ANodeThatMissedTheEndOfAChangeLearnsItFromARefusal) {
    Cluster cluster(4);
    cluster.promote(1);
    cluster.change_voters(1, nodes_to(3));
    cluster.cut(3);
    cluster.live(milliseconds(200));
    ASSERT_TRUE(cluster[3].state().voters.next.has_value());
    ASSERT_FALSE(cluster[2].state().voters.next.has_value());
    cluster.cut(1);
    cluster.cut(4);
    cluster.mend(3);
    // A claim that a promise stands against is refused, too.
    cluster.live(std::chrono::seconds(1));
    cluster.promote(3);
    cluster.live(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.speaks(3));
}

TEST(EngineFenceTest, OfTwoVotersBothMustAnswer) {
    Cluster cluster(2);
    cluster.promote(1);
    EXPECT_TRUE(cluster.speaks(1));
    cluster.cut(2);
    cluster.live(milliseconds(400));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineFenceTest, AloneOnlyAfterTheOthersDeathWasConfirmed) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.cut(1);
    cluster.promote(2);
    cluster.live(std::chrono::seconds(1));
    EXPECT_FALSE(cluster.speaks(2));
    Result<Effects> confirmed =
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_device, cluster.now());
    ASSERT_TRUE(confirmed.has_value());
    cluster.run(2, *confirmed);
    cluster.live(milliseconds(10));
    EXPECT_TRUE(cluster.speaks(2));
}

// Whose own vote is another's by now claims above it, though nobody is left to refuse its claim.
TEST(EngineFenceTest, AClaimantThatHasGrantedTheDeadNodesClaimClaimsAnew) {
    Cluster cluster(2);
    cluster.cut(2);
    cluster.promote(1);
    cluster.wait(milliseconds(500));
    cluster.mend(2);
    cluster.promote(2);
    ASSERT_TRUE(cluster.speaks(2));
    cluster.cut(2);
    Result<Effects> confirmed =
        cluster[1].confirm_dead(NodeId{2}, Confirmed::by_device, cluster.now());
    ASSERT_TRUE(confirmed.has_value());
    cluster.run(1, *confirmed);
    cluster.live(std::chrono::seconds(1));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineFenceTest, ADaemonThatStartedSinceBelievesOnlyTheOperator) {
    Cluster cluster(2);
    cluster.cut(1);
    cluster.start(2);
    cluster.promote(2);
    EXPECT_FALSE(
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_device, cluster.now()).has_value());
    EXPECT_TRUE(
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now()).has_value());
    cluster.live(milliseconds(750));
    EXPECT_TRUE(cluster.speaks(2));
}

// Found by the simulator (400060311): node 2 was switched off, node 1 continued with new nodes, and
// node 2 came back with its list of two. Others had served with a higher epoch.
TEST(EngineFenceTest, WhoIsNotInCorosyncConfBelievesNoDevice) {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.run(2, cluster[2].configure({NodeId{1}, NodeId{3}}, cluster.now()));
    cluster.cut(1);
    const Result<Effects> refused =
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_device, cluster.now());
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail, ::testing::HasSubstr("not in corosync.conf"));
    EXPECT_TRUE(
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now()).has_value());
}

TEST(EngineFenceTest, TheOthersFirstWordEndsBeingAlone) {
    Cluster cluster(2);
    cluster.cut(1);
    cluster.promote(2);
    Result<Effects> confirmed =
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now());
    ASSERT_TRUE(confirmed.has_value());
    cluster.run(2, *confirmed);
    ASSERT_TRUE(cluster.speaks(2));
    static_cast<void>(cluster[2].on_message(sender_of(1), Hello{}, cluster.now()));
    cluster.live(milliseconds(300));
    EXPECT_FALSE(cluster.speaks(2));
}

Cluster with_a_dead_node_of_two() {
    Cluster cluster(2);
    cluster.promote(1);
    cluster.cut(2);
    return cluster;
}

void confirm_death_of_two(Cluster& cluster) {
    Result<Effects> confirmed =
        cluster[1].confirm_dead(NodeId{2}, Confirmed::by_operator, cluster.now());
    ASSERT_TRUE(confirmed.has_value()) << confirmed.error().detail;
    cluster.run(1, *confirmed);
    cluster.live(milliseconds(10));
}

void expect_one_voter_that_takes_another(Cluster& cluster) {
    EXPECT_EQ(cluster[1].state().voters, (Voters{{{{1, NodeId{1}}, 1}, nodes_to(1)}, {}}));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_FALSE(cluster[1].state().alone);
    cluster.mend(2);
    cluster.change_voters(1, nodes_to(2));
    cluster.live(milliseconds(100));
    EXPECT_EQ(cluster[2].state().voters, cluster[1].state().voters);
    cluster.cut(2);
    cluster.live(milliseconds(400));
    EXPECT_FALSE(cluster.speaks(1)) << "both have to answer again";
}

TEST(EngineFenceTest, OfTwoVotersTheDeadOneIsLeftOut) {
    Cluster cluster = with_a_dead_node_of_two();
    confirm_death_of_two(cluster);
    EXPECT_FALSE(cluster[1].change_voters(nodes_to(3), cluster.now()).has_value());
    cluster.change_voters(1, nodes_to(1));
    expect_one_voter_that_takes_another(cluster);
}

// Its power was cut before the change from two voters to one had ended.
TEST(EngineFenceTest, ADeathWithinTheChangeToOneVoterIsConfirmed) {
    Cluster cluster = with_a_dead_node_of_two();
    cluster.change_voters(1, nodes_to(1));
    cluster.live(milliseconds(200));
    ASSERT_TRUE(cluster[1].state().voters.next.has_value());
    confirm_death_of_two(cluster);
    expect_one_voter_that_takes_another(cluster);
}

// Node 3 holds the lease, and leaves node 2 out as well.
TEST(EngineFenceTest, AListThatLeavesTheDeadOneOutIsLearnedAlone) {
    Cluster cluster = with_a_dead_node_of_two();
    confirm_death_of_two(cluster);
    const Voters two = cluster[1].state().voters;
    Round round;
    round.id = {{4, NodeId{3}}, {1}, 1};
    round.lease = Timing{}.lease;
    round.voters = {two.current, VoterList{{{4, NodeId{3}}, 1}, nodes_to(1)}};
    static_cast<void>(cluster[1].on_message(sender_of(3), round, cluster.now()));
    ASSERT_EQ(cluster[1].state().voters, round.voters);
    EXPECT_TRUE(cluster[1].state().alone);
    round.voters = {two.current, VoterList{{{4, NodeId{3}}, 2}, nodes_to(3)}};
    static_cast<void>(cluster[1].on_message(sender_of(3), round, cluster.now()));
    ASSERT_EQ(cluster[1].state().voters, round.voters);
    EXPECT_FALSE(cluster[1].state().alone);
}

TEST(EngineFenceTest, WithinAnyOtherChangeOfTwoVotersNobodyIsConfirmedDead) {
    Cluster cluster = with_a_dead_node_of_two();
    cluster.change_voters(1, nodes_to(3));
    EXPECT_FALSE(
        cluster[1].confirm_dead(NodeId{2}, Confirmed::by_operator, cluster.now()).has_value());
}

TEST(EngineFenceTest, WhoDoesNotVoteIsNeverAlone) {
    Cluster cluster;
    cluster.promote(1);
    cluster.change_voters(1, nodes_to(2));
    cluster.live(milliseconds(100));
    ASSERT_EQ(cluster[3].state().voters.current.nodes, nodes_to(3));
    static_cast<void>(
        cluster[3].on_message(sender_of(1), sent<Round>(cluster.take(1)).back(), cluster.now()));
    ASSERT_EQ(cluster[3].state().voters.current.nodes, nodes_to(2));
    EXPECT_FALSE(
        cluster[3].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now()).has_value());
}

TEST(EngineFenceTest, OfThreeVotersNobodyIsConfirmedDead) {
    Cluster cluster;
    EXPECT_FALSE(
        cluster[2].confirm_dead(NodeId{1}, Confirmed::by_operator, cluster.now()).has_value());
}

}  // namespace engine_fence_test
}  // namespace vpnha::lease
