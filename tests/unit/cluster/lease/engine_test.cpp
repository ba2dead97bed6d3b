// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/engine.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

bool begins_with_save(const Effects& effects) {
    return !effects.empty() && std::holds_alternative<SaveDurable>(effects.front());
}

// The position of the first effect of that kind that `fits`; as many as there are when none does.
template <class Kind, class Fits>
std::size_t position(const Effects& effects, Fits fits) {
    std::size_t at = 0;
    for (; at < effects.size(); ++at) {
        const auto* one = std::get_if<Kind>(&effects[at]);
        if (one != nullptr && fits(*one)) {
            break;
        }
    }
    return at;
}

TEST(EngineTest, AClaimWithAMajorityOpensTheGateForOneLease) {
    Cluster cluster;
    cluster.promote(1);
    EXPECT_EQ(cluster.phase(1), Phase::holding);
    EXPECT_TRUE(cluster.speaks(1));
    const std::vector<Granted> granted = all_of_kind<Granted>(cluster.take(1));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted[0].epoch, (Epoch{1, NodeId{1}}));
    EXPECT_EQ(granted[0].margin.kind, Margin::Kind::none);
    cluster.wait(milliseconds(300));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineTest, RenewalsKeepTheGateOpenWhileAMajorityLives) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(3);
    cluster.live(std::chrono::seconds(5));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].holder().epoch(), (Epoch{1, NodeId{1}}));
    cluster.cut(2);
    cluster.live(milliseconds(300));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineTest, WhatIsClaimedAndGrantedIsOnDiskBeforeItIsReported) {
    Cluster cluster;
    const Effects claim = cluster[1].promote(cluster.now());
    ASSERT_TRUE(begins_with_save(claim));
    EXPECT_EQ(std::get<SaveDurable>(claim[0]).durable.claimed, (Epoch{1, NodeId{1}}));
    const Round round = sent<Round>(claim).at(0);
    const Effects grant = cluster[2].on_message(sender_of(1), round, cluster.now());
    ASSERT_TRUE(begins_with_save(grant));
    EXPECT_EQ(std::get<SaveDurable>(grant[0]).durable.granted, (Epoch{1, NodeId{1}}));
    EXPECT_THAT(sent<Answer>(grant), SizeIs(1));
    const Effects again = cluster[2].on_message(sender_of(1), round, cluster.now());
    EXPECT_THAT(all_of_kind<SaveDurable>(again), IsEmpty());
}

TEST(EngineTest, ANodeThatStartsAnewRemembersWhatItClaimedAndGranted) {
    Cluster cluster;
    cluster.promote(1);
    cluster.start(1);
    cluster.start(2);
    EXPECT_EQ(cluster[1].holder().epoch(), (Epoch{1, NodeId{1}}));
    EXPECT_EQ(cluster[2].voter().granted(), (Epoch{1, NodeId{1}}));
    EXPECT_EQ(cluster.phase(1), Phase::idle);
}

TEST(EngineTest, ANodeThatStartsAnewRemembersWhatItGrantedElsewhere) {
    Cluster cluster;
    for (const unsigned holder : {3U, 1U, 1U}) {
        cluster.promote(holder);
        cluster.run(holder, cluster[holder].release(true, cluster.now()));
    }
    cluster.start(2);
    cluster.wait(Timing{}.abstention());
    cluster.cut(3);
    cluster.take(1);
    cluster.promote(1);
    const std::vector<Granted> granted = all_of_kind<Granted>(cluster.take(1));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted[0].elsewhere, (Epoch{1, NodeId{3}}));
}

TEST(EngineTest, AJustStartedNodeHasNoVoteNotEvenForItself) {
    Cluster cluster;
    cluster.cut(3);
    cluster.start(1);
    cluster.promote(1);
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
    cluster.live(milliseconds(505));
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
    cluster.live(milliseconds(120));
    EXPECT_EQ(cluster.phase(1), Phase::holding);
}

TEST(EngineTest, ADeadHoldersSuccessorWaitsForThePromisesToEnd) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.promote(2);
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    cluster.live(milliseconds(305));
    EXPECT_FALSE(cluster.speaks(2));
    cluster.live(milliseconds(110));
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_FALSE(cluster.speaks(1));
    const Margin margin = all_of_kind<Granted>(cluster.take(2)).at(0).margin;
    EXPECT_EQ(margin.epoch, Epoch{});  // Node 1 never got to its second round.
    EXPECT_EQ(margin.kind, Margin::Kind::largest);
}

TEST(EngineTest, TheSuccessorLearnsUntilWhenTheDeadNodeSent) {
    Cluster cluster;
    cluster[1].set_checkpoint({{1, NodeId{1}}, 9, cluster.now()});
    cluster.promote(1);
    cluster.live(milliseconds(500));
    const TimePoint last_round = cluster.now();
    cluster.cut(1);
    cluster.promote(2);
    cluster.live(milliseconds(600));
    const Margin margin = all_of_kind<Granted>(cluster.take(2)).at(0).margin;
    EXPECT_EQ(margin.kind, Margin::Kind::bounded);
    EXPECT_EQ(margin.epoch, (Epoch{1, NodeId{1}}));
    EXPECT_EQ(margin.until, last_round + milliseconds(300));
    EXPECT_EQ(margin.newest.sequence, 9U);
    EXPECT_EQ(margin.run_on(), milliseconds(800));
}

// Who is granted the lease again names its own reading, as long as nobody else used numbers since.
TEST(EngineTest, AReadingOutlastsALapseUnlessAnotherNodeServed) {
    Cluster cluster;
    cluster.promote(1);
    const Checkpoint reading{{1, NodeId{1}}, 9, cluster.now()};
    cluster[1].set_checkpoint(reading);
    cluster.live(milliseconds(200));
    cluster.cut(1);
    cluster.live(milliseconds(600));
    cluster.mend(1);
    cluster.live(milliseconds(600));
    ASSERT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].state().checkpoint, reading);

    cluster.cut(1);
    cluster.promote(2);
    cluster.live(milliseconds(600));
    ASSERT_TRUE(cluster.speaks(2));
    cluster.cut(2);
    cluster.mend(1);
    cluster.live(milliseconds(1200));
    ASSERT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].state().checkpoint, Checkpoint{});
}

TEST(EngineTest, ReleaseShutsTheGateBeforeItIsReported) {
    Cluster cluster;
    cluster.promote(1);
    cluster.take(1);
    const Effects effects = cluster[1].release(true, cluster.now());
    const std::size_t shut = position<SetDeadline>(
        effects, [](const SetDeadline& set) { return set.deadline == TimePoint{}; });
    const std::size_t emitted = position<Send>(
        effects, [](const Send& send) { return std::holds_alternative<Release>(send.message); });
    EXPECT_LT(shut, emitted);
    EXPECT_LT(emitted, effects.size());
}

TEST(EngineTest, AfterAReleaseTheNextClaimSucceedsAtOnce) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].release(true, cluster.now()));
    cluster.promote(2);
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_FALSE(cluster.speaks(1));
}

TEST(EngineTest, ALapsedHolderThatIsStillPromotedClaimsANewEpoch) {
    Cluster cluster;
    cluster.promote(1);
    cluster.cut(1);
    cluster.live(milliseconds(400));
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
    EXPECT_FALSE(cluster.speaks(1));
    cluster.mend(1);
    cluster.live(milliseconds(100));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].holder().epoch(), (Epoch{2, NodeId{1}}));
}

TEST(EngineTest, AClaimBelowAGrantedEpochIsRepeatedAboveIt) {
    Cluster cluster;
    cluster.cut(1);
    cluster.promote(3);
    cluster.run(3, cluster[3].release(true, cluster.now()));
    cluster.mend(1);
    cluster.promote(1);
    EXPECT_EQ(cluster.phase(1), Phase::claiming);
    cluster.live(milliseconds(100));
    EXPECT_EQ(cluster[1].holder().epoch(), (Epoch{2, NodeId{1}}));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineTest, ADemotedClaimantGivesItsClaimUp) {
    Cluster cluster;
    cluster.cut(1);
    cluster.promote(1);
    const Effects effects = cluster[1].demote(cluster.now());
    EXPECT_EQ(cluster.phase(1), Phase::idle);
    EXPECT_EQ(all_of_kind<Ended>(effects).at(0).why, End::given_up);
    EXPECT_EQ(cluster[1].next_deadline(), std::nullopt);
    const auto sent = all_of_kind<Send>(effects);
    ASSERT_FALSE(sent.empty());
    EXPECT_FALSE(std::get<Release>(sent.back().message).served) << "it was granted nothing";
}

// Of a claim that was given up nobody need think that its node served.
TEST(EngineTest, WhoWasGrantedNothingIsNoHolderBefore) {
    Cluster cluster(5);
    cluster.promote(1);
    cluster.run(1, cluster[1].release(false, cluster.now()));
    const std::vector<unsigned> others{2, 4, 5};
    for (const unsigned node : others) {
        cluster.cut(node);
    }
    cluster.promote(3);
    ASSERT_EQ(cluster[1].voter().granted(), (Epoch{2, NodeId{3}}));
    cluster.run(3, cluster[3].demote(cluster.now()));
    for (const unsigned node : others) {
        cluster.mend(node);
    }
    (void)cluster.take(1);
    cluster.promote(1);
    cluster.live(milliseconds(100));
    const auto granted = all_of_kind<Granted>(cluster.take(1));
    ASSERT_EQ(granted.size(), 1U);
    EXPECT_EQ(granted.front().epoch, (Epoch{3, NodeId{1}}));
    EXPECT_EQ(granted.front().elsewhere, (Epoch{1, NodeId{}}));
}

TEST(EngineTest, ADrainingHolderServesUntilItsSuccessorClaims) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.live(milliseconds(500));
    EXPECT_TRUE(cluster.speaks(1));
    cluster.take(1);
    const TimePoint deadline = cluster[1].holder().state().deadline;

    cluster.promote(2);
    EXPECT_FALSE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].handing_over(), deadline);
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    const Effects handed = cluster.take(1);
    EXPECT_TRUE(begins_with_save(handed));
    EXPECT_THAT(all_of_kind<ReadCounters>(handed), SizeIs(1));
    EXPECT_THAT(sent<Answer>(handed), IsEmpty());

    const Checkpoint last{{1, NodeId{1}}, 7, deadline};
    cluster.run(1, cluster[1].on_counters(last, cluster.now()));
    EXPECT_TRUE(cluster.speaks(2));
    EXPECT_EQ(cluster[1].handing_over(), std::nullopt);
    const std::vector<Granted> granted = all_of_kind<Granted>(cluster.take(2));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted[0].margin.kind, Margin::Kind::handed_over);
    EXPECT_EQ(granted[0].margin.newest, last);
    EXPECT_EQ(granted[0].margin.run_on(), Duration{});
}

TEST(EngineTest, ADrainingHolderHandsOverToNobodyWhoseClockIsAstray) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster[1].set_astray({NodeId{2}}, false);
    cluster.promote(2);
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_EQ(cluster[1].handing_over(), std::nullopt);
}

// It is its own clock that runs at another rate: the others' are right.
TEST(EngineTest, ADrainingHolderWhoseOwnClockIsAstrayHandsOverAndGrantsNobodyMore) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster[1].set_astray({NodeId{2}, NodeId{3}}, true);
    cluster.promote(2);
    EXPECT_FALSE(cluster.speaks(1));
    ASSERT_TRUE(cluster[1].handing_over());
    EXPECT_EQ(cluster[1].voter().state().astray, (std::vector{NodeId{2}, NodeId{3}}));
    EXPECT_TRUE(cluster[1].voter().state().own_astray);
}

TEST(EngineTest, AClaimIsNotAnsweredWhileTheCountersAreRead) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.promote(2);
    cluster.take(1);
    cluster.live(milliseconds(200));
    EXPECT_THAT(sent<Answer>(cluster.take(1)), IsEmpty());
}

TEST(EngineTest, ALostHandoverIsRepeatedWithItsCounters) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.promote(2);
    cluster.cut(1);
    cluster.run(1, cluster[1].on_counters({{1, NodeId{1}}, 7, cluster.now()}, cluster.now()));
    cluster.mend(1);
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
    cluster.live(milliseconds(100));
    EXPECT_EQ(all_of_kind<Granted>(cluster.take(2)).at(0).margin.newest.sequence, 7U);
}

// Whoever abstains is granted nothing by it yet.
TEST(EngineTest, AHandoverHurriesOneRoundAndNotEachOneThatItIsRepeatedFor) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.cut(3);
    cluster.start(2);
    cluster.promote(2);
    cluster.run(1, cluster[1].on_counters({}, cluster.now()));
    ASSERT_EQ(cluster.phase(2), Phase::claiming);
    cluster.take(2);
    cluster.live(milliseconds(300));
    EXPECT_THAT(sent<Round>(cluster.take(2)), SizeIs(2 * 3)) << "to two others";
    EXPECT_EQ(cluster.phase(2), Phase::claiming);
}

TEST(EngineTest, TheClaimantPassesTheReleaseOn) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.promote(2);
    cluster.run(1, cluster[1].on_counters({}, cluster.now()));
    cluster.live(milliseconds(10));
    EXPECT_EQ(cluster[3].voter().granted(), (Epoch{2, NodeId{2}}));
}

TEST(EngineTest, WithoutAClaimADrainingHolderReleases) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.live(milliseconds(1990));
    EXPECT_TRUE(cluster.speaks(1));
    cluster.live(milliseconds(20));
    EXPECT_FALSE(cluster.speaks(1));
    EXPECT_EQ(all_of_kind<Ended>(cluster.take(1)).at(0).why, End::released);
}

TEST(EngineTest, ADrainingHolderThatIsPromotedAgainHolds) {
    Cluster cluster;
    cluster.promote(1);
    cluster.run(1, cluster[1].demote(cluster.now()));
    cluster.promote(1);
    EXPECT_EQ(cluster.phase(1), Phase::holding);
    cluster.live(std::chrono::seconds(3));
    EXPECT_TRUE(cluster.speaks(1));
}

TEST(EngineTest, AHolderThatIsNotDrainingKeepsItsLeaseAgainstAClaim) {
    Cluster cluster;
    cluster.promote(1);
    cluster.promote(2);
    cluster.live(std::chrono::seconds(3));
    EXPECT_TRUE(cluster.speaks(1));
    EXPECT_FALSE(cluster.speaks(2));
}

// The last epoch that fits into a counter would be the last one for ever.
TEST(EngineTest, NumbersThatNobodyCanHaveReachedAreNotTakenUp) {
    Cluster cluster;
    Round claim = sent<Round>(cluster[1].promote(cluster.now())).at(0);
    claim.id.epoch.number = 1 + limits::kEpochJumpMax;
    EXPECT_THAT(cluster[2].on_message(sender_of(1), claim, cluster.now()), IsEmpty());
    EXPECT_EQ(cluster[2].voter().granted(), Epoch{});
    --claim.id.epoch.number;
    EXPECT_THAT(sent<Answer>(cluster[2].on_message(sender_of(1), claim, cluster.now())), SizeIs(1));

    const RoundId own = sent<Round>(cluster[3].promote(cluster.now())).at(0).id;
    Refusal refusal{
        own, Verdict::superseded, {1'000 * limits::kEpochJumpMax, NodeId{1}}, claim.voters};
    refusal.voters.current.version.epoch = refusal.granted;
    static_cast<void>(cluster[3].on_message(sender_of(1), refusal, cluster.now()));
    EXPECT_FALSE(cluster[3].holder().outbid());
    EXPECT_EQ(cluster[3].state().voters, claim.voters);
}

TEST(EngineTest, AClaimHasAHigherNumberThanWhatRecordsName) {
    Cluster cluster;
    cluster[2].note_claimed({6, NodeId{1}});
    cluster[2].note_claimed({7 + limits::kEpochJumpMax, NodeId{1}});
    const Round claim = sent<Round>(cluster[2].promote(cluster.now())).at(0);
    EXPECT_EQ(claim.id.epoch, (Epoch{7, NodeId{2}}));
}

TEST(EngineTest, RoundsInTheNameOfAnotherNodeAreIgnored) {
    Cluster cluster;
    const Round round = sent<Round>(cluster[1].promote(cluster.now())).at(0);
    EXPECT_THAT(cluster[2].on_message(sender_of(3), round, cluster.now()), IsEmpty());
    EXPECT_EQ(cluster[2].voter().granted(), Epoch{});
}

TEST(EngineDeathTest, CountersThatNobodyAskedForAreImpossible) {
    Cluster cluster;
    EXPECT_DEATH(static_cast<void>(cluster[1].on_counters({}, cluster.now())), "impossible state");
}

}  // namespace engine_test
}  // namespace vpnha::lease
