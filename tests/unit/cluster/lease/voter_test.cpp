// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/voter.hpp"

#include <gtest/gtest.h>

#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace voter_test {

using std::chrono::microseconds;

const TimePoint kStart{std::chrono::hours(1)};
const Timing kTiming;
const TimePoint kNow = kStart + kTiming.abstention();
const Voters kVoters{{{{0, NodeId{1}}, 0}, nodes_to(3)}, std::nullopt};

Round round_of(std::uint64_t epoch, unsigned node, std::uint64_t number = 1) {
    Round round;
    round.id = {{epoch, NodeId{node}}, {1}, number};
    round.sent_at = kNow;
    round.lease = Timing{}.lease;
    round.voters = kVoters;
    return round;
}

Voter voter_with(const Epoch& granted = {}, std::vector<Mark> marks = {},
                 const Epoch& elsewhere = {}) {
    return {kTiming, granted, {}, elsewhere, std::move(marks), kStart};
}

Verdict judge(Voter& voter, const Round& round, TimePoint now = kNow) {
    return voter.judge(sender_of(round.id.epoch.node.value), round, kVoters, now);
}

void mark(Voter& voter, unsigned node, unsigned life = 1) {
    voter.mark(NodeId{node}, boot_of(node, life), nodes_to(3));
}

TEST(VoterTest, AnswersTheEpochThatItHasGrantedAndAnyHigherOneWhenItPromisedNothing) {
    Voter voter = voter_with({4, NodeId{2}});
    EXPECT_EQ(judge(voter, round_of(4, 2)), Verdict::answered);
    Voter other = voter_with({4, NodeId{2}});
    EXPECT_EQ(judge(other, round_of(4, 3)), Verdict::answered);
    EXPECT_EQ(other.granted(), (Epoch{4, NodeId{3}}));
}

TEST(VoterTest, ARoundOfAShorterLeaseEndsNoPromiseEarlier) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(4, 2)), Verdict::answered);
    Round shorter = round_of(4, 2, 2);
    shorter.lease = milliseconds(60);
    ASSERT_EQ(judge(voter, shorter), Verdict::answered);
    EXPECT_EQ(judge(voter, round_of(5, 3), kNow + milliseconds(312)), Verdict::promised);
    ASSERT_EQ(judge(voter, round_of(5, 3), kNow + milliseconds(313)), Verdict::answered);
    // Another epoch's is its own.
    Voter other = voter_with();
    ASSERT_EQ(judge(other, round_of(4, 2)), Verdict::answered);
    other.on_release({4, NodeId{2}});
    Round next = round_of(5, 3);
    next.lease = milliseconds(60);
    ASSERT_EQ(judge(other, next), Verdict::answered);
    EXPECT_EQ(other.state().promise.until, kNow + milliseconds(70) + microseconds(600));
}

TEST(VoterTest, RefusesEveryEpochBelowItsHighestGrant) {
    Voter voter = voter_with({4, NodeId{2}});
    EXPECT_EQ(judge(voter, round_of(4, 1)), Verdict::superseded);
    EXPECT_EQ(judge(voter, round_of(3, 3)), Verdict::superseded);
    EXPECT_EQ(voter.granted(), (Epoch{4, NodeId{2}}));
}

TEST(VoterTest, RestsFromAClaimThatIsInVainWhileAnotherNodeAsks) {
    const Duration cycle = kTiming.unheld + kTiming.unheld_rest;
    Voter voter = voter_with();
    Round claim = round_of(1, 1);
    claim.in_vain = kTiming.unheld - Duration(1);
    ASSERT_EQ(judge(voter, claim), Verdict::answered);
    voter.on_asked(kNow);
    claim.in_vain = kTiming.unheld;
    EXPECT_FALSE(voter.rests_from(claim, kNow)) << "asked too soon";
    ASSERT_EQ(judge(voter, claim), Verdict::answered);
    EXPECT_FALSE(voter.rests_from(claim, kNow)) << "nobody asks";
    voter.on_asked(kNow);
    EXPECT_TRUE(voter.rests_from(claim, kNow));
    EXPECT_FALSE(voter.rests_from(round_of(2, 2), kNow)) << "of another one";
    for (const Duration in_vain : {cycle - Duration(1), cycle + kTiming.unheld}) {
        claim.in_vain = in_vain;
        EXPECT_TRUE(voter.rests_from(claim, kNow)) << in_vain.count();
    }
    claim.in_vain = cycle;
    EXPECT_FALSE(voter.rests_from(claim, kNow)) << "it has a second again";
    claim.in_vain = kTiming.unheld;
    EXPECT_TRUE(voter.rests_from(claim, kNow + cycle - Duration(1)));
    EXPECT_FALSE(voter.rests_from(claim, kNow + cycle)) << "nobody asks any more";
    claim.held = true;
    EXPECT_FALSE(voter.rests_from(claim, kNow));
    // As long as a promise lasts and whoever asks takes to ask twice more.
    EXPECT_GT(kTiming.unheld_rest,
              kTiming.promise(kTiming.lease) + kTiming.ask_max + 2 * kTiming.ask);
}

TEST(VoterTest, AGrantIsAPromiseForTheStretchedLease) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    const TimePoint over = kNow + milliseconds(313);
    EXPECT_EQ(judge(voter, round_of(2, 2), over - Duration(1)), Verdict::promised);
    EXPECT_EQ(judge(voter, round_of(2, 2), over), Verdict::answered);
}

TEST(VoterTest, EveryAnswerStartsThePromiseAnew) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    ASSERT_EQ(judge(voter, round_of(1, 1, 2), kNow + milliseconds(300)), Verdict::answered);
    EXPECT_EQ(judge(voter, round_of(2, 2), kNow + milliseconds(612)), Verdict::promised);
    EXPECT_EQ(judge(voter, round_of(2, 2), kNow + milliseconds(613)), Verdict::answered);
}

// A new L reaches the nodes one after the other: what the asker reckons with counts.
TEST(VoterTest, APromiseCoversTheLeaseThatAsks) {
    Voter voter = voter_with();
    Round longer = round_of(1, 1);
    longer.lease = milliseconds(500);
    ASSERT_EQ(judge(voter, longer), Verdict::answered);
    EXPECT_EQ(judge(voter, round_of(2, 2), kNow + milliseconds(514)), Verdict::promised);
    EXPECT_EQ(judge(voter, round_of(2, 2), kNow + milliseconds(515)), Verdict::answered);
}

TEST(VoterTest, ADuplicateOfAnOldRoundIsAPromise) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1, 2)), Verdict::answered);
    ASSERT_EQ(judge(voter, round_of(1, 1, 1), kNow + milliseconds(300)), Verdict::answered);
    EXPECT_EQ(judge(voter, round_of(2, 2), kNow + milliseconds(500)), Verdict::promised);
    EXPECT_EQ(voter.state().received->number, 2U);
}

TEST(VoterTest, OnlyAReleaseOfThePromisedEpochEndsThePromise) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(2, 1)), Verdict::answered);
    voter.on_release({1, NodeId{1}});
    voter.on_release({2, NodeId{2}});
    EXPECT_EQ(judge(voter, round_of(3, 2)), Verdict::promised);
    voter.on_release({2, NodeId{1}});
    EXPECT_EQ(judge(voter, round_of(3, 2)), Verdict::answered);
}

TEST(VoterTest, AReleasedEpochIsNotAnsweredAgain) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    voter.on_release({1, NodeId{1}});
    EXPECT_EQ(judge(voter, round_of(1, 1, 2)), Verdict::released);
    EXPECT_EQ(judge(voter, round_of(1, 1, 2), kNow + std::chrono::hours(1)), Verdict::released);
}

TEST(VoterTest, AbstainsAfterItsStartForTheLongestPromiseOfAnyLease) {
    Voter voter = voter_with({1, NodeId{1}});
    EXPECT_EQ(judge(voter, round_of(1, 1), kNow - Duration(1)), Verdict::abstaining);
    EXPECT_EQ(judge(voter, round_of(1, 1), kNow), Verdict::answered);
    EXPECT_EQ(kTiming.abstention(), milliseconds(515));
}

TEST(VoterTest, GrantsNothingToANodeWhoseClockIsAstrayAndLetsWhatItGrantedContinue) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    voter.on_astray({NodeId{1}, NodeId{2}}, false);
    EXPECT_EQ(judge(voter, round_of(1, 1, 2)), Verdict::answered);
    const TimePoint over = kNow + milliseconds(1000);
    EXPECT_EQ(judge(voter, round_of(2, 2), over), Verdict::clock_astray);
    EXPECT_EQ(judge(voter, round_of(2, 3), over), Verdict::answered);
    Round held = round_of(3, 2);
    held.held = true;
    Voter other = voter;
    EXPECT_EQ(judge(other, held, over + milliseconds(1000)), Verdict::answered)
        << "a majority has granted it, without this vote";
    voter.on_astray({}, false);
    EXPECT_EQ(judge(voter, round_of(3, 2), over + milliseconds(1000)), Verdict::answered);
}

// Of two voters both have to answer, the holder before among them: nothing hangs on its promise.
TEST(VoterTest, OfTwoVotersAClockThatIsAstrayIsGrantedTheLease) {
    const Voters two{{{{0, NodeId{1}}, 0}, nodes_to(2)}, std::nullopt};
    Voter voter = voter_with();
    voter.on_astray({NodeId{1}}, false);
    Round round = round_of(1, 1);
    round.voters = two;
    EXPECT_EQ(voter.judge(sender_of(1), round, two, kNow), Verdict::answered);
}

TEST(VoterTest, RefusesAnotherListOfVoters) {
    Voter voter = voter_with();
    Round round = round_of(1, 1);
    round.voters.current.nodes = nodes_to(4);
    EXPECT_EQ(judge(voter, round), Verdict::foreign_voters);
    round.voters.next = kVoters.current;
    EXPECT_EQ(judge(voter, round), Verdict::foreign_voters) << "a change that has ended";
    EXPECT_EQ(voter.judge(sender_of(1), round, round.voters, kNow), Verdict::answered);
}

TEST(VoterTest, RefusesAMarkedLifeOfANodeAndNoOther) {
    Voter voter = voter_with({}, {{NodeId{1}, boot_of(1)}});
    EXPECT_EQ(judge(voter, round_of(1, 1)), Verdict::marked);
    const Sender reborn{NodeId{1}, boot_of(1, 2), {2}};
    EXPECT_EQ(voter.judge(reborn, round_of(1, 1), kVoters, kNow), Verdict::answered);
}

TEST(VoterTest, AMarkGrantsTheNextEpochToNobodyAndLeavesThePromise) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(5, 1)), Verdict::answered);
    mark(voter, 1);
    EXPECT_EQ(voter.granted(), (Epoch{6, NodeId{}}));
    EXPECT_EQ(judge(voter, round_of(5, 3)), Verdict::superseded);
    EXPECT_EQ(judge(voter, round_of(6, 2), kNow + milliseconds(312)), Verdict::promised);
    EXPECT_EQ(judge(voter, round_of(6, 2), kNow + milliseconds(313)), Verdict::answered);
}

TEST(VoterTest, AMarkOfSomebodyElseLeavesTheHolderItsEpoch) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(5, 1)), Verdict::answered);
    mark(voter, 2);
    mark(voter, 1, 7);
    EXPECT_EQ(judge(voter, round_of(5, 1, 2)), Verdict::answered);
}

TEST(VoterTest, AMarkHasRunOutAnAbstentionAfterTheLastAnswer) {
    for (const Duration answered : {Duration(0), Duration(milliseconds(700))}) {
        Voter voter = voter_with();
        ASSERT_EQ(judge(voter, round_of(5, 1), kNow + answered), Verdict::answered);
        const TimePoint run_out = kNow + answered + milliseconds(515);
        EXPECT_FALSE(voter.run_out(NodeId{1}, boot_of(1), run_out)) << "not marked yet";
        mark(voter, 1);
        EXPECT_FALSE(voter.run_out(NodeId{1}, boot_of(1), run_out - Duration(1)));
        EXPECT_TRUE(voter.run_out(NodeId{1}, boot_of(1), run_out));
    }
}

TEST(VoterTest, AMarkOfANodeThatWasNeverAnsweredRunsOutAnAbstentionAfterTheStart) {
    Voter voter = voter_with();
    mark(voter, 1);
    EXPECT_FALSE(voter.run_out(NodeId{1}, boot_of(1), kNow - Duration(1)));
    EXPECT_TRUE(voter.run_out(NodeId{1}, boot_of(1), kNow));
}

TEST(VoterTest, AMarkFromBeforeItsStartRunsOutAnAbstentionAfterTheStart) {
    const Voter voter = voter_with({}, {{NodeId{1}, boot_of(1)}});
    EXPECT_FALSE(voter.run_out(NodeId{1}, boot_of(1), kNow - Duration(1)));
    EXPECT_TRUE(voter.run_out(NodeId{1}, boot_of(1), kNow));
    EXPECT_FALSE(voter.run_out(NodeId{1}, boot_of(1, 2), kNow));
    EXPECT_FALSE(voter.run_out(NodeId{2}, boot_of(2), kNow));
}

TEST(VoterTest, AMarkCountsAsAnEpochOfAnotherNode) {
    Voter voter = voter_with({4, NodeId{2}});
    mark(voter, 2);
    ASSERT_EQ(judge(voter, round_of(6, 1)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{5, NodeId{}}));
}

// Seven voters, and what is left of earlier ones.
TEST(VoterTest, MarksAreBoundedAndThoseOfVotersAreKept) {
    Voter voter = voter_with({}, {{NodeId{1}, boot_of(1)}});
    for (unsigned past = 100; past < 100 + 2 * kMarksMax; ++past) {
        mark(voter, past);
    }
    EXPECT_EQ(voter.state().marks.size(), kMarksMax);
    EXPECT_TRUE(voter.is_marked(NodeId{1}, boot_of(1)));
    EXPECT_TRUE(voter.is_marked(NodeId{99 + 2 * kMarksMax}, boot_of(99 + 2 * kMarksMax)));
    EXPECT_FALSE(voter.is_marked(NodeId{100}, boot_of(100)));
}

// Nobody can say which of the two lives is the newer one.
TEST(VoterTest, ReceivedMarksReplaceNone) {
    Voter voter = voter_with({}, {{NodeId{1}, boot_of(1)}});
    const Marks received{{NodeId{1}, boot_of(1, 2)}, {NodeId{1}, boot_of(1)}};
    voter.join_marks(received, nodes_to(3));
    voter.join_marks(received, nodes_to(3));
    EXPECT_EQ(voter.state().marks, (Marks{{NodeId{1}, boot_of(1)}, {NodeId{1}, boot_of(1, 2)}}));
    mark(voter, 1, 3);
    EXPECT_EQ(voter.state().marks, (Marks{{NodeId{1}, boot_of(1, 3)}})) << "its newest life";
    voter.join_marks({{NodeId{9}, boot_of(9)}}, nodes_to(3));
    EXPECT_TRUE(voter.is_marked(NodeId{9}, boot_of(9))) << "it votes no more";
}

TEST(VoterTest, ReceivedMarksTakeTheRoomOfNodesThatDoNotVote) {
    Voter voter = voter_with();
    for (unsigned past = 100; past < 100 + kMarksMax; ++past) {
        mark(voter, past);
    }
    const Marks full = voter.state().marks;
    voter.join_marks({{NodeId{99}, boot_of(99)}}, nodes_to(3));
    EXPECT_EQ(voter.state().marks, full) << "of no voter either";
    voter.join_marks({{NodeId{1}, boot_of(1)}}, nodes_to(3));
    EXPECT_TRUE(voter.is_marked(NodeId{1}, boot_of(1)));
    const Marks kept = voter.state().marks;
    EXPECT_EQ(kept.size(), kMarksMax);
    voter.join_marks(full, nodes_to(3));
    EXPECT_EQ(voter.state().marks, kept) << "two nodes do not take turns";
}

TEST(VoterTest, ARequestFindsRoomAmongMarksOfOneNode) {
    Voter voter = voter_with();
    Marks received{{NodeId{2}, boot_of(2)}};
    for (unsigned life = 1; received.size() <= kMarksMax; ++life) {
        received.push_back({NodeId{3}, boot_of(3, life)});
    }
    voter.join_marks(received, nodes_to(3));
    EXPECT_EQ(voter.state().marks.size(), kMarksMax);
    mark(voter, 1);
    EXPECT_EQ(voter.state().marks.size(), kMarksMax);
    EXPECT_TRUE(voter.is_marked(NodeId{1}, boot_of(1)));
    EXPECT_TRUE(voter.is_marked(NodeId{2}, boot_of(2)));
    EXPECT_FALSE(voter.is_marked(NodeId{3}, boot_of(3, 1)));
    EXPECT_TRUE(voter.is_marked(NodeId{3}, boot_of(3, 2)));
}

TEST(VoterTest, StopsAnsweringAHolderThatItsGroupHasMissedForLong) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    voter.on_missing({NodeId{1}}, kNow);
    voter.on_missing({NodeId{1}, NodeId{3}}, kNow + std::chrono::seconds(4));
    EXPECT_EQ(judge(voter, round_of(1, 1, 2), kNow + std::chrono::seconds(5)), Verdict::answered);
    const TimePoint late = kNow + std::chrono::seconds(5) + Duration(1);
    EXPECT_EQ(judge(voter, round_of(1, 1, 3), late), Verdict::absent);
    voter.on_missing({}, late);
    EXPECT_EQ(judge(voter, round_of(1, 1, 3), late), Verdict::answered);
}

TEST(VoterTest, AGrantCarriesTheNewestRoundOfTheEpochBefore) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(1, 1)), Verdict::answered);
    EXPECT_EQ(voter.before().knowledge, Knowledge::nothing_before);
    Round newest = round_of(1, 1, 9);
    newest.sent_at = kNow + milliseconds(5);
    newest.lease = milliseconds(200);
    newest.held = true;
    newest.checkpoint = {{1, NodeId{1}}, 77, kNow};
    ASSERT_EQ(judge(voter, newest), Verdict::answered);
    voter.on_release({1, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(2, 2)), Verdict::answered);
    ASSERT_EQ(judge(voter, round_of(2, 2, 2)), Verdict::answered);
    const Before expected{Knowledge::received,
                          {{1, NodeId{1}}, 9, kNow + milliseconds(205), true, newest.checkpoint},
                          {1, NodeId{1}}};
    EXPECT_EQ(voter.before(), expected);
}

TEST(VoterTest, AStartForgetsWhatWasReceivedOfTheEpochBefore) {
    Voter voter = voter_with({1, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(2, 2)), Verdict::answered);
    EXPECT_EQ(voter.before().knowledge, Knowledge::lost);
}

TEST(VoterTest, AGrantNamesTheHighestEpochOfAnotherNode) {
    Voter voter = voter_with({4, NodeId{2}}, {}, {3, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(4, 2)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{3, NodeId{1}})) << "from the disk";
    voter.on_release({4, NodeId{2}});
    ASSERT_EQ(judge(voter, round_of(5, 2)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{3, NodeId{1}})) << "the claimant's own do not count";
    voter.on_release({5, NodeId{2}});
    ASSERT_EQ(judge(voter, round_of(6, 3)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{5, NodeId{2}}));
}

TEST(VoterTest, AnEpochThatWasGivenBackUnusedIsNobodys) {
    Voter voter = voter_with({4, NodeId{2}}, {}, {3, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(5, 1)), Verdict::answered);
    voter.on_decline({5, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(6, 3)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{4, NodeId{2}}));
    voter.on_decline({6, NodeId{3}});
    ASSERT_EQ(judge(voter, round_of(7, 2)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{3, NodeId{1}}));
    voter.on_release({7, NodeId{2}});
    ASSERT_EQ(judge(voter, round_of(8, 1)), Verdict::answered);
    EXPECT_EQ(voter.before().elsewhere, (Epoch{7, NodeId{2}}));
}

TEST(VoterTest, WhatOthersRememberDeniesNothingBelowIt) {
    Voter voter = voter_with();
    voter.remember({7, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(8, 1)), Verdict::answered);
    EXPECT_GT(voter.before().elsewhere, (Epoch{6, NodeId{3}}));
    EXPECT_LT(voter.before().elsewhere, (Epoch{7, NodeId{1}}));
}

// A disk may be a new one.
TEST(VoterTest, TheFirstGrantEverDeniesNothingBelowIt) {
    Voter voter = voter_with();
    ASSERT_EQ(judge(voter, round_of(7, 1)), Verdict::answered);
    EXPECT_GT(voter.before().elsewhere, (Epoch{6, NodeId{3}}));
    EXPECT_LT(voter.before().elsewhere, (Epoch{7, NodeId{1}}));
    voter.on_release({7, NodeId{1}});
    ASSERT_EQ(judge(voter, round_of(8, 1)), Verdict::answered);
    EXPECT_LT(voter.before().elsewhere, (Epoch{7, NodeId{1}})) << "what came since is known";
}

TEST(VoterDeathTest, ARoundInSomebodyElsesEpochIsImpossible) {
    Voter voter = voter_with();
    EXPECT_DEATH(static_cast<void>(voter.judge(sender_of(2), round_of(1, 1), kVoters, kNow)),
                 "impossible state");
}

}  // namespace voter_test
}  // namespace vpnha::lease
