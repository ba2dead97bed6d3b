// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/holder.hpp"

#include <gtest/gtest.h>

#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace holder_test {

const TimePoint kNow{std::chrono::hours(1)};
const Timing kTiming;
const Voters kVoters{{{{0, NodeId{1}}, 0}, nodes_to(3)}, std::nullopt};
constexpr Instance kInstance{1};

Answer answer_to(const Round& round, const Before& before = {}) {
    return {round.id, before, std::nullopt};
}

class HolderTest : public ::testing::Test {
  protected:
    bool count(unsigned from, const Answer& answer, TimePoint now = kNow) {
        return holder_.count(NodeId{from}, answer, kInstance, kVoters, now);
    }
    Round ask(TimePoint now = kNow) { return holder_.open_round(kInstance, now); }
    void claim(TimePoint now = kNow) { holder_.claim(NodeId{1}, {}, now); }

    Holder holder_{kTiming, {}};
};

TEST_F(HolderTest, AMajoritysAnswersToOneRoundMakeTheDeadline) {
    claim();
    const Round round = ask();
    EXPECT_FALSE(count(1, answer_to(round)));
    EXPECT_TRUE(count(2, answer_to(round), kNow + milliseconds(20)));
    EXPECT_EQ(holder_.phase(), Phase::holding);
    EXPECT_EQ(holder_.state().deadline, kNow + milliseconds(300));
}

TEST_F(HolderTest, AnswersToDifferentRoundsDoNotAddUp) {
    claim();
    const Round first = ask();
    const Round second = ask(kNow + milliseconds(100));
    EXPECT_FALSE(count(1, answer_to(first), kNow + milliseconds(100)));
    EXPECT_FALSE(count(2, answer_to(second), kNow + milliseconds(100)));
    EXPECT_EQ(holder_.phase(), Phase::claiming);
}

TEST_F(HolderTest, OneVoterCountsOnce) {
    claim();
    const Round round = ask();
    EXPECT_FALSE(count(2, answer_to(round)));
    EXPECT_FALSE(count(2, answer_to(round)));
}

TEST_F(HolderTest, AnswersOfStrangersAndToOthersDoNotCount) {
    claim();
    const Round round = ask();
    ASSERT_FALSE(count(1, answer_to(round)));
    EXPECT_FALSE(count(4, answer_to(round)));
    Answer other = answer_to(round);
    other.id.instance = {2};
    EXPECT_FALSE(count(2, other));
    other = answer_to(round);
    other.id.epoch.number = 2;
    EXPECT_FALSE(count(2, other));
    other = answer_to(round);
    other.id.number = 2;
    EXPECT_FALSE(count(2, other));
    EXPECT_TRUE(count(2, answer_to(round)));
}

TEST_F(HolderTest, AnAnswerAfterTheLeaseIsTooLate) {
    claim();
    const Round round = ask();
    ASSERT_FALSE(count(1, answer_to(round)));
    EXPECT_FALSE(count(2, answer_to(round), kNow + milliseconds(300)));
}

TEST_F(HolderTest, TheTimeOfARoundIsThatOfItsSending) {
    claim();
    const Round first = ask();
    ASSERT_FALSE(count(1, answer_to(first)));
    ASSERT_TRUE(count(2, answer_to(first)));
    const Round second = ask(kNow + milliseconds(100));
    ASSERT_FALSE(count(1, answer_to(second), kNow + milliseconds(250)));
    ASSERT_TRUE(count(3, answer_to(second), kNow + milliseconds(290)));
    EXPECT_EQ(holder_.state().deadline, kNow + milliseconds(400));
}

// Its lease would end before the next round can be answered.
TEST_F(HolderTest, NoClaimIsGrantedByARoundThatComesTooLateForARenewal) {
    claim();
    const Round first = ask();
    const Round second = ask(kNow + milliseconds(100));
    const TimePoint late = kNow + milliseconds(201);
    ASSERT_FALSE(count(1, answer_to(first), late));
    EXPECT_FALSE(count(2, answer_to(first), late));
    EXPECT_EQ(holder_.phase(), Phase::claiming);
    ASSERT_FALSE(count(1, answer_to(second), late));
    EXPECT_TRUE(count(2, answer_to(second), late));
    EXPECT_EQ(holder_.state().deadline, kNow + milliseconds(400));
}

TEST_F(HolderTest, AClaimIsGrantedByARoundThatIsJustInTimeForARenewal) {
    claim();
    const Round round = ask();
    const TimePoint late = kNow + milliseconds(200);
    ASSERT_FALSE(count(1, answer_to(round), late));
    EXPECT_TRUE(count(2, answer_to(round), late));
}

TEST_F(HolderTest, AnOlderRoundNeverTakesTheDeadlineBack) {
    claim();
    const Round first = ask();
    const Round second = ask(kNow + milliseconds(100));
    const TimePoint now = kNow + milliseconds(150);
    ASSERT_FALSE(count(1, answer_to(second), now));
    ASSERT_TRUE(count(2, answer_to(second), now));
    EXPECT_FALSE(count(1, answer_to(first), now));
    EXPECT_FALSE(count(2, answer_to(first), now));
    EXPECT_EQ(holder_.state().deadline, kNow + milliseconds(400));
}

TEST_F(HolderTest, NoAnswerCountsForAnEpochThatEnded) {
    claim();
    const Round round = ask();
    ASSERT_FALSE(count(1, answer_to(round)));
    holder_.end();
    EXPECT_FALSE(count(2, answer_to(round)));
    claim();
    EXPECT_EQ(holder_.epoch(), (Epoch{2, NodeId{1}}));
    EXPECT_FALSE(count(2, answer_to(round)));
}

TEST_F(HolderTest, AClaimReportsForHowLongItIsInVain) {
    claim();
    EXPECT_EQ(ask().in_vain, Duration{});
    EXPECT_EQ(ask(kNow + milliseconds(700)).in_vain, milliseconds(700));
    claim(kNow + milliseconds(800));  // It was outbid.
    const Round round = ask(kNow + milliseconds(900));
    EXPECT_EQ(round.in_vain, milliseconds(900));
    ASSERT_FALSE(count(1, answer_to(round), kNow + milliseconds(900)));
    ASSERT_TRUE(count(2, answer_to(round), kNow + milliseconds(900)));
    EXPECT_EQ(ask(kNow + milliseconds(950)).in_vain, Duration{}) << "a renewal";
}

// A slow node is granted the lease, and its lease is over before it has renewed it.
TEST_F(HolderTest, WhoHeldTheLeaseWithoutARenewalHasClaimedInVain) {
    const auto hold = [&](const Round& round, TimePoint now) {
        ASSERT_FALSE(count(1, answer_to(round), now));
        ASSERT_TRUE(count(2, answer_to(round), now));
    };
    claim();
    hold(ask(), kNow);
    holder_.end();
    const TimePoint later = kNow + milliseconds(500);
    claim(later);
    const Round round = ask(later);
    EXPECT_EQ(round.in_vain, milliseconds(500));
    hold(round, later);
    hold(ask(later), later);
    holder_.end();
    claim(later);
    EXPECT_EQ(ask(later).in_vain, Duration{}) << "it was renewed";
    hold(ask(later), later);
    holder_.end();
    claim(later + kTiming.unheld);
    EXPECT_EQ(ask(later + kTiming.unheld).in_vain, Duration{}) << "another time";
}

// Its voters answered a moment ago: three rounds without an answer are enough.
TEST_F(HolderTest, TheClaimOfWhoseLeaseHasLapsedIsInVainSooner) {
    claim();
    const auto hold = [&](const Round& round, TimePoint now) {
        ASSERT_FALSE(count(1, answer_to(round), now));
        ASSERT_TRUE(count(2, answer_to(round), now));
    };
    hold(ask(), kNow);
    hold(ask(kNow + kTiming.renew), kNow + kTiming.renew);
    const TimePoint lapse = kNow + kTiming.renew + kTiming.lease;
    ASSERT_TRUE(holder_.lapsed(lapse));
    holder_.note_lapse(lapse);
    holder_.end();
    claim(lapse);
    EXPECT_LT(ask(lapse + kTiming.unheld_lapsed - Duration(1)).in_vain, kTiming.unheld);
    const Round late = ask(lapse + kTiming.unheld_lapsed);
    EXPECT_EQ(late.in_vain, kTiming.unheld);
    hold(late, lapse + kTiming.unheld_lapsed);
    hold(ask(lapse + kTiming.unheld_lapsed), lapse + kTiming.unheld_lapsed);
    holder_.end();
    const TimePoint later = lapse + kTiming.unheld;
    claim(later);
    EXPECT_EQ(ask(later).in_vain, Duration{}) << "another claim, by an order";
}

// Others may have been granted it since.
TEST_F(HolderTest, AClaimThatBeginsLongAfterTheLapseIsInVainAsLateAsAnyOther) {
    claim();
    const TimePoint lapse = kNow + kTiming.lease;
    holder_.note_lapse(lapse);
    holder_.end();
    const TimePoint later = lapse + std::max(kTiming.unheld_lapsed, kTiming.renew);
    claim(later);
    EXPECT_EQ(ask(later).in_vain, Duration{});
}

TEST_F(HolderTest, NoNumberIsClaimedTwice) {
    Holder holder(kTiming, {7, NodeId{1}});
    holder.claim(NodeId{1}, {3, NodeId{2}}, kNow);
    EXPECT_EQ(holder.epoch(), (Epoch{8, NodeId{1}}));
    holder.on_granted_elsewhere({11, NodeId{3}});
    EXPECT_TRUE(holder.outbid());
    holder.claim(NodeId{1}, {12, NodeId{2}}, kNow);
    EXPECT_EQ(holder.epoch(), (Epoch{13, NodeId{1}}));
    EXPECT_EQ(holder.state().dead, (Epoch{8, NodeId{1}}));
}

TEST_F(HolderTest, OpenRoundsAreBoundedByTheLease) {
    claim();
    for (int i = 0; i < 100; ++i) {
        ask(kNow + i * kTiming.renew);
        EXPECT_LE(holder_.state().rounds.size(), 3U);
    }
}

struct MarginCase {
    const char* name;
    std::vector<Before> before;
    Margin::Kind kind;
    TimePoint until;
};

Before received(std::uint64_t epoch, std::uint64_t number, int sent_ms, bool held = true) {
    return {Knowledge::received,
            {{epoch, NodeId{2}}, number, kNow + milliseconds(sent_ms), held, {}}};
}

TEST_F(HolderTest, TheMarginIsTheNewestThatAnyVoterReceived) {
    const MarginCase cases[] = {
        {"the first epoch ever", {{}, {}}, Margin::Kind::none, {}},
        {"the higher k",
         {received(1, 5, 50), received(1, 6, 60)},
         Margin::Kind::bounded,
         kNow + milliseconds(60)},
        {"the higher epoch, whatever its k",
         {received(2, 1, 10), received(1, 6, 60)},
         Margin::Kind::bounded,
         kNow + milliseconds(10)},
        {"one heard, one had nothing",
         {received(1, 5, 50), {}},
         Margin::Kind::bounded,
         kNow + milliseconds(50)},
        {"one started since",
         {received(1, 5, 50), {Knowledge::lost, {}}},
         Margin::Kind::largest,
         {}},
        {"a claim that may have been won",
         {received(1, 9, 50), received(2, 1, 60, false)},
         Margin::Kind::largest,
         {}},
    };
    for (const MarginCase& c : cases) {
        claim();
        const Round round = ask();
        unsigned from = 1;
        for (const Before& before : c.before) {
            static_cast<void>(count(from++, answer_to(round, before)));
        }
        EXPECT_EQ(holder_.phase(), Phase::holding) << c.name;
        EXPECT_EQ(holder_.margin().kind, c.kind) << c.name;
        EXPECT_EQ(holder_.margin().until, c.until) << c.name;
        holder_.end();
    }
}

TEST_F(HolderTest, OfWhatVotersGrantedElsewhereTheHighestCountsHeldOrNot) {
    claim();
    const Round round = ask();
    Before before = received(2, 1, 60, false);
    before.elsewhere = {2, NodeId{2}};
    static_cast<void>(count(1, answer_to(round, before)));
    static_cast<void>(count(2, answer_to(round, {Knowledge::lost, {}, {1, NodeId{3}}})));
    EXPECT_EQ(holder_.state().elsewhere, (Epoch{2, NodeId{2}}));
    holder_.end();
    claim();
    EXPECT_EQ(holder_.state().elsewhere, Epoch{}) << "each claim has its own answers";
}

TEST_F(HolderTest, CountersHaveRunOnSinceTheCheckpoint) {
    using Kind = Margin::Kind;
    const Checkpoint newest{{1, NodeId{2}}, 5, kNow - milliseconds(40)};
    const TimePoint until = kNow + milliseconds(300);
    for (const Kind kind : {Kind::bounded, Kind::handed_over}) {
        EXPECT_EQ((Margin{kind, {}, until, newest}).run_on(), milliseconds(340));
        EXPECT_EQ((Margin{kind, {}, kNow - milliseconds(50), newest}).run_on(), Duration{});
        EXPECT_EQ((Margin{kind, {}, until, {}}).run_on(), std::nullopt) << "no checkpoint";
    }
    EXPECT_EQ((Margin{Kind::largest, {}, until, newest}).run_on(), std::nullopt);
    EXPECT_EQ(Margin{}.run_on(), Duration{}) << "nobody spoke before";
}

TEST(HolderDeathTest, ARoundWithoutAnEpochIsImpossible) {
    Holder holder(kTiming, {});
    EXPECT_DEATH(static_cast<void>(holder.open_round(kInstance, kNow)), "impossible state");
    EXPECT_DEATH(holder.begin_draining(kNow), "impossible state");
}

TEST_F(HolderTest, ANarrowerLeaseEndsNoEarlierThanOneThatWasAskedFor) {
    claim();
    static_cast<void>(ask());
    holder_.resize(kTiming.sized(milliseconds(60)));
    EXPECT_EQ(ask(kNow + milliseconds(100)).lease, milliseconds(200));
    EXPECT_EQ(ask(kNow + milliseconds(239)).lease, milliseconds(61));
    EXPECT_EQ(ask(kNow + milliseconds(241)).lease, milliseconds(60));
}

TEST_F(HolderTest, AnAnswerCountsByTheLeaseOfItsRound) {
    holder_.resize(kTiming.sized(milliseconds(120)));
    claim();
    const Round round = ask();
    const Round late = ask();
    holder_.resize(kTiming);
    static_cast<void>(count(1, answer_to(round)));
    ASSERT_TRUE(count(2, answer_to(round)));
    EXPECT_EQ(holder_.state().deadline, kNow + milliseconds(120));
    static_cast<void>(count(1, answer_to(late), kNow + milliseconds(121)));
    EXPECT_FALSE(count(2, answer_to(late), kNow + milliseconds(121)));
}

TEST_F(HolderTest, RoundsOfALeaseThatNarrowsComeAnEighthOfItApart) {
    claim();
    static_cast<void>(ask());
    holder_.resize(kTiming.sized(milliseconds(60)));
    static_cast<void>(ask(kNow + milliseconds(60)));
    EXPECT_EQ(holder_.state().next_round_at, kNow + milliseconds(90));
}

}  // namespace holder_test
}  // namespace vpnha::lease
