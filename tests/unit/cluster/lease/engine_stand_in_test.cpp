// SPDX-License-Identifier: GPL-2.0-or-later
// 14: a node that nobody has promoted asks, and claims when a majority would grant it.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_stand_in_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timing kTiming;

// Node 1 held the lease, and was cut off so long ago that no promise to it holds.
Cluster without_holder(unsigned nodes = 3) {
    Cluster cluster(nodes);
    cluster.promote(1);
    cluster.stop(1);
    cluster.wait(kTiming.promise(kTiming.lease));
    return cluster;
}

void stand_in(Cluster& cluster, unsigned node) {
    cluster.run(node, cluster[node].stand_in(cluster.now()));
}

void act(Cluster& cluster, unsigned node) {
    cluster.run(node, cluster[node].on_time(cluster.now()));
}

Engine::Inquiry::Asked newest(Cluster& cluster, unsigned node) {
    return cluster[node].state().inquiry->open.back();
}

// That voter's yes to a question of `asker` arrives; whether a majority has agreed to it.
bool agrees(Cluster& cluster, unsigned asker, unsigned voter, const RoundId& id) {
    Engine& engine = cluster[asker];
    cluster.run(asker, engine.on_message(sender_of(voter),
                                         Opinion{id, Verdict::answered, {}, engine.state().voters},
                                         cluster.now()));
    const std::vector<Engine::Inquiry::Asked>& open = engine.state().inquiry->open;
    return std::any_of(open.begin(), open.end(),
                       [&id](const auto& asked) { return asked.id == id && asked.agreed; });
}

// The lists of voters that go with it are those of the cluster.
Question question_of(Cluster& cluster, unsigned node, std::uint64_t epoch) {
    return {{{epoch, NodeId{node}}, {1}, 1}, cluster[node].state().voters, {}};
}

Opinion opinion_of(Cluster& cluster, unsigned voter, unsigned asker, const Question& question) {
    const Effects effects = cluster[voter].on_message(sender_of(asker), question, cluster.now());
    const std::vector<Opinion> opinions = sent<Opinion>(effects);
    EXPECT_THAT(opinions, SizeIs(1));
    EXPECT_THAT(effects, SizeIs(1)) << "saves, promises or claims something";
    return opinions.empty() ? Opinion{} : opinions.front();
}

TEST(EngineStandInTest, AfterTwoMajoritiesInARowItClaims) {
    Cluster cluster = without_holder();
    stand_in(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::idle);
    EXPECT_EQ(cluster[2].next_deadline(), cluster.now() + kTiming.ask);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::holding);
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_EQ(cluster[2].holder().epoch(), (Epoch{2, NodeId{2}}));
    EXPECT_TRUE(cluster[2].state().wanted);
    EXPECT_FALSE(cluster[2].state().inquiry);
}

TEST(EngineStandInTest, AVoterSavesAndPromisesNothingForAQuestion) {
    Cluster cluster = without_holder();
    const Engine before = cluster[3];
    const Opinion opinion = opinion_of(cluster, 3, 2, question_of(cluster, 2, 2));
    EXPECT_EQ(opinion.verdict, Verdict::answered);
    EXPECT_EQ(opinion.granted, (Epoch{1, NodeId{1}}));
    EXPECT_TRUE(cluster[3].voter() == before.voter());
    // Another node may ask the same, and both are told yes.
    EXPECT_EQ(opinion_of(cluster, 2, 3, question_of(cluster, 3, 2)).verdict, Verdict::answered);
}

TEST(EngineStandInTest, AVoterThatPromisedAnswersNo) {
    Cluster cluster;
    cluster.promote(1);
    EXPECT_EQ(opinion_of(cluster, 3, 2, question_of(cluster, 2, 2)).verdict, Verdict::promised);
    EXPECT_EQ(opinion_of(cluster, 1, 2, question_of(cluster, 2, 2)).verdict, Verdict::promised);
    EXPECT_EQ(opinion_of(cluster, 3, 2, question_of(cluster, 2, 0)).verdict, Verdict::superseded);
}

TEST(EngineStandInTest, AQuestionInAnothersNameIsNotAnswered) {
    Cluster cluster = without_holder();
    EXPECT_THAT(cluster[3].on_message(sender_of(2), question_of(cluster, 3, 2), cluster.now()),
                IsEmpty());
    Question question = question_of(cluster, 2, 2 + limits::kEpochJumpMax);
    EXPECT_THAT(cluster[3].on_message(sender_of(2), question, cluster.now()), IsEmpty());
}

TEST(EngineStandInTest, AHealthyHolderIsNotDisturbed) {
    Cluster cluster;
    cluster.promote(1);
    const Epoch epoch = cluster[1].holder().epoch();
    // Node 2 alone does not hear it any more.
    cluster.cut(2);
    cluster.live(kTiming.promise(kTiming.lease) + milliseconds(50));
    cluster.mend(2);
    stand_in(cluster, 2);
    cluster.live(std::chrono::seconds(5));
    EXPECT_EQ(cluster.phase(2), Phase::idle);
    EXPECT_EQ(cluster[1].holder().epoch(), epoch);
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_THAT(all_of_kind<Ended>(cluster.take(1)), IsEmpty());
}

TEST(EngineStandInTest, ItsOwnPromiseKeepsItFromAsking) {
    Cluster cluster;
    cluster.promote(1);
    stand_in(cluster, 2);
    EXPECT_THAT(sent<Question>(cluster.take(2)), IsEmpty());
    EXPECT_TRUE(cluster[2].state().inquiry);
}

TEST(EngineStandInTest, AnAnswerToTheHolderMeanwhileEndsItsOwnConsent) {
    Cluster cluster(5);
    cluster.promote(1);
    cluster.stop(4);
    cluster.stop(5);
    for (const unsigned node : {1U, 2U, 3U}) {
        cluster.cut(node);
    }
    cluster.wait(kTiming.promise(kTiming.lease));
    stand_in(cluster, 2);
    const Question question = sent<Question>(cluster.take(2)).front();
    // A round that was long on its way is answered; then two voters agree to what was asked before.
    cluster.mend(2);
    Round round;
    round.id = {cluster[1].holder().epoch(), {1}, 9};
    round.lease = kTiming.lease;
    round.held = true;
    round.voters = cluster[1].state().voters;
    cluster.run(2, cluster[2].on_message(sender_of(1), round, cluster.now()));
    for (const unsigned voter : {3U, 4U}) {
        cluster.run(2, cluster[2].on_message(
                           sender_of(voter),
                           Opinion{question.id, Verdict::answered, {}, cluster[2].state().voters},
                           cluster.now()));
    }
    ASSERT_TRUE(cluster[2].state().inquiry);
    EXPECT_THAT(cluster[2].state().inquiry->open.front().willing, SizeIs(3));
    EXPECT_FALSE(cluster[2].state().inquiry->open.front().agreed);
}

TEST(EngineStandInTest, OneMajorityIsNotEnough) {
    Cluster cluster = without_holder();
    stand_in(cluster, 2);
    EXPECT_TRUE(newest(cluster, 2).agreed);
    cluster.cut(3);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    cluster.mend(3);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::idle);
    EXPECT_TRUE(newest(cluster, 2).agreed);
}

TEST(EngineStandInTest, ALateTurnStartsOver) {
    Cluster cluster = without_holder();
    stand_in(cluster, 2);
    cluster.wait(kTiming.ask + kTiming.punctual + Duration(1));
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::idle);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::holding);
}

TEST(EngineStandInTest, OpinionsThatComeToALateLoopOrOnAnotherQuestionDoNotCount) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    const Question first = sent<Question>(cluster.take(2)).front();
    RoundId other = first.id;
    ++other.number;
    EXPECT_FALSE(agrees(cluster, 2, 3, other));
    cluster.wait(kTiming.ask + kTiming.punctual + Duration(1));
    EXPECT_FALSE(agrees(cluster, 2, 3, first.id));
    cluster.wait(-Duration(1));
    EXPECT_TRUE(agrees(cluster, 2, 3, first.id));
}

TEST(EngineStandInTest, AnOpinionCountsForAsLongAsItsQuestionIsOpen) {
    for (const Duration late : {Duration(0), Duration(1)}) {
        Cluster cluster = without_holder();
        cluster.cut(3);
        const TimePoint asked = cluster.now();
        stand_in(cluster, 2);
        const Question first = sent<Question>(cluster.take(2)).front();
        while (*cluster[2].next_deadline() < asked + kTiming.ask_open) {
            cluster.wait(*cluster[2].next_deadline() - cluster.now());
            act(cluster, 2);
        }
        cluster.wait(asked + kTiming.ask_open + late - cluster.now());
        EXPECT_EQ(agrees(cluster, 2, 3, first.id), late == Duration(0));
    }
}

// What voters agreed to before the host stood still is not known to be true any more.
TEST(EngineStandInTest, ALateTurnForgetsEarlierQuestions) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    const std::vector<Question> asked = sent<Question>(cluster.take(2));
    cluster.wait(kTiming.ask + kTiming.punctual + Duration(1));
    act(cluster, 2);
    EXPECT_FALSE(agrees(cluster, 2, 3, asked.front().id));
    EXPECT_FALSE(agrees(cluster, 2, 3, asked.back().id));
    EXPECT_EQ(cluster.phase(2), Phase::idle);
}

// In a pause of 400 ms the host may have stood still unseen, and its holder with it.
TEST(EngineStandInTest, BehindALongPauseAnAgreementIsWorthAsMuchAsTheFirst) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    while (cluster[2].state().inquiry->pause < kTiming.ask_max) {
        cluster.wait(*cluster[2].next_deadline() - cluster.now());
        act(cluster, 2);
    }
    // The opinion is heard a moment before the next question is due.
    cluster.wait(kTiming.ask_open - Duration(1));
    EXPECT_TRUE(agrees(cluster, 2, 3, newest(cluster, 2).id));
    EXPECT_EQ(cluster[2].next_deadline(), cluster.now() + kTiming.ask);
    cluster.mend(3);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::idle) << "the question before was open no more";
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_EQ(cluster.phase(2), Phase::holding);
}

TEST(EngineStandInTest, TwoQuestionsWithALongPauseBetweenThemAreNotInARow) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    while (cluster[2].state().inquiry->pause <= 2 * kTiming.ask) {
        cluster.wait(*cluster[2].next_deadline() - cluster.now());
        act(cluster, 2);
    }
    const std::vector<Engine::Inquiry::Asked> open = cluster[2].state().inquiry->open;
    const std::size_t count = open.size();
    ASSERT_GE(count, 2U);
    ASSERT_EQ(open[count - 1].at - open[count - 2].at, 2 * kTiming.ask);
    EXPECT_TRUE(agrees(cluster, 2, 3, open[count - 2].id));
    EXPECT_TRUE(agrees(cluster, 2, 3, open[count - 1].id));
    EXPECT_EQ(cluster.phase(2), Phase::idle);
}

// Of a member that has gone astray: an honest voter does not agree to a life that it has marked.
TEST(EngineStandInTest, AnOpinionWithAMarkOfThisLifeFences) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    const Question asked = sent<Question>(cluster.take(2)).front();
    Opinion opinion{asked.id, Verdict::answered, {}, cluster[2].state().voters};
    opinion.marks = {{NodeId{2}, boot_of(2)}};
    cluster.run(2, cluster[2].on_message(sender_of(3), opinion, cluster.now()));
    EXPECT_TRUE(cluster[2].state().fenced);
    EXPECT_FALSE(cluster[2].state().inquiry);
}

TEST(EngineStandInTest, UnansweredItAsksLessAndLessOften) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    stand_in(cluster, 2);
    std::vector<Duration> pauses;
    for (int i = 0; i < 12; ++i) {
        const TimePoint next = *cluster[2].next_deadline();
        pauses.push_back(next - cluster.now());
        cluster.wait(next - cluster.now());
        act(cluster, 2);
    }
    // As long as the first one may still be answered it may have been too early for a far voter.
    EXPECT_THAT(pauses, ElementsAre(milliseconds(25), milliseconds(25), milliseconds(25),
                                    milliseconds(25), milliseconds(25), milliseconds(25),
                                    milliseconds(50), milliseconds(100), milliseconds(200),
                                    milliseconds(400), milliseconds(400), milliseconds(400)));
    cluster.mend(3);
    cluster.wait(milliseconds(400));
    act(cluster, 2);
    EXPECT_EQ(cluster[2].next_deadline(), cluster.now() + kTiming.ask);
}

TEST(EngineStandInTest, ItLearnsFromANoWhatToClaim) {
    Cluster cluster(4);
    cluster.promote(1);
    cluster.stop(1);
    cluster.wait(kTiming.promise(kTiming.lease));
    // Node 4 alone was asked for a higher epoch, and granted it; the asker has died.
    Round round;
    round.id = {{7, NodeId{1}}, {1}, 1};
    round.lease = kTiming.lease;
    round.voters = cluster[4].state().voters;
    cluster.run(4, cluster[4].on_message(sender_of(1), round, cluster.now()));
    cluster.wait(kTiming.promise(kTiming.lease));
    stand_in(cluster, 2);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_TRUE(newest(cluster, 2).agreed);
    EXPECT_EQ(newest(cluster, 2).id.epoch, (Epoch{8, NodeId{2}}));
}

TEST(EngineStandInTest, WithoutQuorumAloneOrFencedItDoesNotAsk) {
    Cluster cluster = without_holder();
    cluster.members(2, {NodeId{2}}, false);
    stand_in(cluster, 2);
    EXPECT_THAT(sent<Question>(cluster.take(2)), IsEmpty());
    cluster.members(2, {NodeId{2}, NodeId{3}}, true);
    cluster.wait(kTiming.ask);
    act(cluster, 2);
    EXPECT_THAT(sent<Question>(cluster.take(2)), SizeIs(2));
    cluster.run(
        2, cluster[2].on_message(sender_of(3), MarkRequest{NodeId{2}, boot_of(2)}, cluster.now()));
    EXPECT_FALSE(cluster[2].state().inquiry);
}

TEST(EngineStandInTest, StandingBackEndsTheQuestions) {
    Cluster cluster = without_holder();
    stand_in(cluster, 2);
    cluster[2].stand_back();
    EXPECT_EQ(cluster[2].next_deadline(), std::nullopt);
    cluster.live(std::chrono::seconds(1));
    EXPECT_EQ(cluster.phase(2), Phase::idle);
}

TEST(EngineStandInTest, APromotionEndsTheQuestions) {
    Cluster cluster = without_holder();
    stand_in(cluster, 2);
    cluster.promote(2);
    EXPECT_FALSE(cluster[2].state().inquiry);
    EXPECT_EQ(cluster.phase(2), Phase::holding);
}

TEST(EngineStandInTest, WhoYieldsHandsOverToAClaim) {
    Cluster cluster;
    cluster.promote(1);
    cluster[1].yield(Yields::to_anybody, std::nullopt);
    cluster.take(1);
    cluster.promote(2);
    const std::vector<Ended> ended = all_of_kind<Ended>(cluster.take(1));
    ASSERT_THAT(ended, SizeIs(1));
    EXPECT_EQ(ended.front().why, End::handed_over);
    EXPECT_FALSE(cluster.speaks(1));
    cluster.run(1, cluster[1].on_counters({}, cluster.now()));
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_FALSE(cluster[1].state().wanted);
    EXPECT_EQ(cluster[1].state().yields, Yields::no);
}

TEST(EngineStandInTest, WhoYieldsRefusesTheOneNode) {
    Cluster cluster;
    cluster.promote(1);
    cluster[1].yield(Yields::to_anybody, NodeId{2});
    cluster.promote(2);
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    cluster.promote(3);
    cluster.run(1, cluster[1].on_counters({}, cluster.now()));
    EXPECT_EQ(cluster.phase(3), Phase::holding);
}

TEST(EngineStandInTest, WhoActsHandsOverOnlyToWhatPacemakerHasOrdered) {
    Cluster cluster;
    cluster.promote(1);
    cluster[1].yield(Yields::to_ordered, std::nullopt);
    cluster.run(2, cluster[2].claim(cluster.now()));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    cluster.promote(3);
    cluster.run(1, cluster[1].on_counters({}, cluster.now()));
    EXPECT_EQ(cluster.phase(3), Phase::holding);
}

// The promoted node was cut off, and another one serves. It claims by itself what it has lost.
TEST(EngineStandInTest, WhoActsHandsOverToNoClaimThatFollowsALapse) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.live(kTiming.promise(kTiming.lease) + kTiming.renew);
    ASSERT_TRUE(cluster[1].state().lapsed);
    cluster.run(2, cluster[2].claim(cluster.now()));
    ASSERT_TRUE(cluster.speaks(2));
    cluster[2].yield(Yields::to_ordered, std::nullopt);
    cluster.mend(1);
    cluster.live(kTiming.lease);
    EXPECT_GT(cluster[1].holder().epoch(), cluster[2].holder().epoch()) << "it outbids";
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
    cluster.promote(1);
    cluster.live(kTiming.renew);
    cluster.run(2, cluster[2].on_counters({}, cluster.now()));
    EXPECT_EQ(cluster.phase(1), Phase::holding) << "Pacemaker has ordered it since";
}

TEST(EngineStandInTest, OfTwoClaimsThatNobodyOrderedTheLowerOneIsTakenBack) {
    Cluster cluster = without_holder();
    cluster.cut(3);
    cluster.run(2, cluster[2].claim(cluster.now()));
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    Round higher;
    higher.id = {{cluster[2].holder().epoch().number, NodeId{3}}, {1}, 1};
    higher.lease = kTiming.lease;
    higher.voters = cluster[2].state().voters;
    cluster.run(2, cluster[2].on_message(sender_of(3), higher, cluster.now()));
    EXPECT_EQ(cluster.phase(2), Phase::idle);
    EXPECT_FALSE(cluster[2].state().wanted);
    EXPECT_EQ(cluster[2].voter().granted(), higher.id.epoch) << "it votes for the other one";
    cluster.promote(2);
    higher.id.epoch.number = cluster[2].holder().epoch().number + 1;
    cluster.run(2, cluster[2].on_message(sender_of(3), higher, cluster.now()));
    EXPECT_EQ(cluster.phase(2), Phase::claiming) << "Pacemaker has ordered it";
}

// Its own vote would be the third one of four that another node needs.
TEST(EngineStandInTest, AnOrderedClaimThatIsInVainLeavesItsOwnVoteToOthers) {
    Cluster cluster(4);
    cluster.cut(3);
    cluster.cut(4);
    cluster.promote(1);
    cluster.cut(1);
    ASSERT_EQ(cluster.phase(1), Phase::claiming);
    const auto asks = [&](std::uint64_t number) {
        Question question;
        question.id = {{number, NodeId{4}}, {1}, 1};
        question.voters = cluster[1].state().voters;
        for (const Effect& effect : cluster[1].on_message(sender_of(4), question, cluster.now())) {
            const auto* const send = std::get_if<Send>(&effect);
            if (send != nullptr && std::holds_alternative<Opinion>(send->message)) {
                return std::get<Opinion>(send->message).verdict;
            }
        }
        return Verdict::abstaining;
    };
    const std::uint64_t above = cluster[1].holder().epoch().number + 1;
    EXPECT_EQ(asks(above), Verdict::promised);
    cluster.live(kTiming.unheld);
    EXPECT_EQ(asks(above), Verdict::answered);
    EXPECT_EQ(cluster[1].voter().granted(), cluster[1].holder().epoch()) << "asked, no more";
    Round claim;
    claim.id = {{above, NodeId{4}}, {1}, 1};
    claim.lease = kTiming.lease;
    claim.voters = cluster[1].state().voters;
    cluster.run(1, cluster[1].on_message(sender_of(4), claim, cluster.now()));
    EXPECT_EQ(cluster[1].voter().granted(), claim.id.epoch);
    EXPECT_EQ(cluster.phase(1), Phase::claiming) << "Pacemaker has ordered it";
    EXPECT_THAT(cluster[1].holder().state().rounds, IsEmpty()) << "its own vote counts no more";
    // The other one renews meanwhile, and would hand over to an ordered claim.
    claim.held = true;
    const TimePoint again = cluster.now() + kTiming.promise(kTiming.lease);
    while (cluster.now() < again) {
        EXPECT_EQ(cluster[1].holder().epoch().number, above - 1) << "it outbids too soon";
        ++claim.id.number;
        cluster.run(1, cluster[1].on_message(sender_of(4), claim, cluster.now()));
        cluster.live(milliseconds(50));
    }
    cluster.live(milliseconds(10));
    EXPECT_GT(cluster[1].holder().epoch(), claim.id.epoch);
}

// The first one sends, and receives no answer; where it has yielded the second one asks nobody.
TEST(EngineStandInTest, AClaimEndsTheAnswersToAnotherOneThatIsInVain) {
    Cluster cluster;
    Engine& voter = cluster[3];
    const auto refusal_of = [&](unsigned node, std::uint64_t epoch, Duration in_vain) {
        Round claim;
        claim.id = {{epoch, NodeId{node}}, {1}, 1};
        claim.lease = kTiming.lease;
        claim.voters = voter.state().voters;
        claim.in_vain = in_vain;
        const std::vector<Refusal> refusals =
            sent<Refusal>(voter.on_message(sender_of(node), claim, cluster.now()));
        return refusals.empty() ? Verdict::answered : refusals.front().reason;
    };
    EXPECT_EQ(refusal_of(1, 1, Duration{}), Verdict::answered);
    EXPECT_EQ(refusal_of(2, 2, Duration{}), Verdict::promised);
    EXPECT_EQ(refusal_of(1, 1, kTiming.unheld), Verdict::answered) << "it was not in vain yet";
    EXPECT_EQ(refusal_of(2, 2, Duration{}), Verdict::promised);
    EXPECT_EQ(refusal_of(1, 1, kTiming.unheld), Verdict::unheld);
    cluster.wait(kTiming.promise(kTiming.lease));
    EXPECT_EQ(refusal_of(2, 2, Duration{}), Verdict::answered);
}

TEST(EngineStandInTest, WhatPacemakerPromotesYieldsNoMore) {
    Cluster cluster;
    cluster.promote(1);
    cluster[1].yield(Yields::to_anybody, std::nullopt);
    cluster.promote(1);
    cluster.promote(2);
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
}

}  // namespace engine_stand_in_test
}  // namespace vpnha::lease
