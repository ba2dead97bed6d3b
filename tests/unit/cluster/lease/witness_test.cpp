// SPDX-License-Identifier: GPL-2.0-or-later
// The witness's side of 16, and 18: two nodes and an honest witness.
#include "cluster/lease/witness.hpp"

#include <gmock/gmock.h>

#include "unit/cluster/lease/far_cluster.hpp"

namespace vpnha::lease {
namespace witness_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timing kTiming;
const Sender kSelf{kWitness, boot_of(9), Instance{1}};
const std::vector<NodeId> kPair{NodeId{1}, NodeId{2}};
const std::vector<NodeId> kThree{NodeId{1}, NodeId{2}, kWitness};
// A standby waits so long behind the end of its promise.
constexpr Duration kGuard = milliseconds(2);

struct Place {
    Duration trip = milliseconds(5);
    Duration save = milliseconds(5);
    Duration held{};
};

// Two nodes that remember each other, and a witness that remembers nothing until they talk to it.
class Pair {
  public:
    explicit Pair(const Place& place, unsigned holder = 1)
        : net(way_of(place.trip, {}, {kWitness.value})), save_(place.save) {
        net.set_members(kPair);
        for (const unsigned node : {1U, 2U}) {
            net.add(node, Engine({sender_of(node), {}, kPair}, durable_of(kPair), net.now()));
        }
        start_witness(std::nullopt);
        hello();
        EXPECT_TRUE(net.live_until([this] { return net.witness().engine().remembers(); },
                                   kTiming.abstention() + 2 * kTiming.lease + 2 * place.save));
        net.promote(holder);
        net.live(kTiming.renew);
        const auto begun = net[holder].change_voters(kThree, net.now());
        EXPECT_TRUE(begun);
        net.run(NodeId{holder}, *begun);
        net.live(std::chrono::seconds(1) + place.held);
        EXPECT_EQ(net[2].state().voters.current.nodes, kThree);
    }
    void start_witness(const std::optional<Witness::File>& file) {
        net.add_witness(Witness(kSelf, kTiming, file, net.now()), save_);
    }
    // What each node does once a second.
    void hello() {
        for (const unsigned node : {1U, 2U}) {
            net.run(net.witness().on_message(sender_of(node), Hello{}, net.now()));
        }
    }
    // Of a node that was promoted, and of another one that stands in for it as soon as it may.
    std::optional<Duration> silence_after_cut_of(unsigned holder) {
        const unsigned other = 3 - holder;
        net.cut_power(holder);
        const TimePoint cut = net.now();
        const auto free = [&] { return net[other].voter().state().promise.until + kGuard; };
        while (net.now() < free()) {
            net.live(free() - net.now());
        }
        net.stand_in(other);
        const bool serves =
            net.live_until([&] { return net.speaks(other); }, std::chrono::seconds(3));
        return serves ? std::optional(net.now() - cut) : std::nullopt;
    }

    FarCluster net;

  private:
    Duration save_;
};

// The promise, two questions, and what they and the claim need to the witness and back.
Duration longest(const Place& place) {
    return kTiming.promise(kTiming.lease) + kGuard + 2 * kTiming.ask + 2 * place.trip;
}

TEST(WitnessTest, APowerCutOfEitherNodeIsFollowedByAGrantForTheOther) {
    for (const unsigned holder : {1U, 2U}) {
        for (const int trip : {1, 5, 26, 50}) {
            for (int held = 0; held < 100; held += 20) {
                const Place place{.trip = milliseconds(trip), .held = milliseconds(held)};
                Pair pair(place, holder);
                const std::optional<Duration> silence = pair.silence_after_cut_of(holder);
                ASSERT_TRUE(silence) << holder << " " << trip << " " << held;
                EXPECT_LE(*silence, longest(place)) << holder << " " << trip << " " << held;
            }
        }
    }
}

TEST(WitnessTest, ASlowDiskOfItsOwnCostsNothing) {
    const Place place{.save = milliseconds(300)};
    Pair pair(place);
    const std::optional<Duration> silence = pair.silence_after_cut_of(1);
    ASSERT_TRUE(silence);
    EXPECT_LE(*silence, longest(place));
}

TEST(WitnessTest, APowerCutOfTheStandbyIsNoSilence) {
    Pair pair({});
    pair.net.cut_power(2);
    for (int i = 0; i < 500; ++i) {
        pair.net.live(milliseconds(10));
        ASSERT_TRUE(pair.net.speaks(1)) << i;
    }
}

TEST(WitnessTest, ItsOwnDeathIsNoSilence) {
    Pair pair({});
    static_cast<void>(pair.net.crash_witness());
    for (int i = 0; i < 500; ++i) {
        pair.net.live(milliseconds(10));
        ASSERT_TRUE(pair.net.speaks(1)) << i;
    }
}

// A grant that its disk has not taken yet is granted to nobody else after a crash.
TEST(WitnessTest, ACrashBehindAGrantForgetsNothing) {
    Pair pair({.save = std::chrono::seconds(5)});
    pair.net.live(std::chrono::minutes(2));
    ASSERT_TRUE(pair.silence_after_cut_of(1));
    const Epoch granted = pair.net.witness().engine().voter().granted();
    ASSERT_EQ(granted.node, NodeId{2});
    const std::optional<Witness::File> file = pair.net.crash_witness();
    ASSERT_TRUE(file);
    EXPECT_LT(file->durable.granted, granted) << "it was saved";
    Witness again(kSelf, kTiming, file, pair.net.now());
    EXPECT_GT(again.engine().voter().granted(), granted);
    EXPECT_EQ(again.engine().voter().granted().node, NodeId{});
    EXPECT_EQ(again.engine().voter().before().knowledge, Knowledge::lost);
    EXPECT_EQ(again.engine().voter().before().elsewhere, again.engine().voter().granted());
}

TEST(WitnessTest, AfterACrashTheHolderContinuesWithItByAnotherClaim) {
    Pair pair({});
    pair.start_witness(pair.net.crash_witness());
    pair.net.cut_power(2);
    const Epoch before = pair.net[1].holder().epoch();
    pair.net.live(std::chrono::seconds(3));
    EXPECT_TRUE(pair.net.speaks(1));
    EXPECT_GT(pair.net[1].holder().epoch().number, before.number + 2);
}

TEST(WitnessTest, ACleanEndLeavesWhatIsTrue) {
    Pair pair({});
    const Witness::File file = pair.net.witness().last_file().value();
    EXPECT_FALSE(file.ahead);
    Witness again(kSelf, kTiming, file, pair.net.now());
    EXPECT_EQ(again.engine().voter().granted(), pair.net.witness().engine().voter().granted());
    // It is ahead again before it votes.
    const Witness::Orders orders = again.on_time(*again.next_deadline());
    ASSERT_THAT(orders.saves, SizeIs(1));
    EXPECT_TRUE(orders.saves.front().file.ahead);
}

TEST(WitnessTest, CrashesUseUpNoNumbers) {
    Pair pair({});
    std::optional<Witness::File> file = pair.net.crash_witness();
    TimePoint now = pair.net.now();
    const Epoch first = Witness(kSelf, kTiming, file, now).engine().voter().granted();
    for (int i = 0; i < 5; ++i) {
        Witness witness(kSelf, kTiming, file, now);
        EXPECT_EQ(witness.engine().voter().granted(), first);
        now += std::chrono::seconds(9);
        for (const Witness::Save& save : witness.on_time(now).saves) {
            file = save.file;
        }
    }
}

// Of this gateway: granted by node 1's claim of epoch 1, by the list of all three.
class WitnessDiskTest : public ::testing::Test {
  protected:
    WitnessDiskTest() {
        for (const unsigned node : {1U, 2U}) {
            static_cast<void>(witness_.on_message(sender_of(node), Hello{}, now_));
        }
    }

    Witness::Orders claim(std::uint64_t number, unsigned node) {
        Round round;
        round.id = {{number, NodeId{node}}, {1}, 1};
        round.lease = kTiming.lease;
        round.voters = witness_.engine().state().voters;
        now_ += kTiming.promise(kTiming.lease);
        return witness_.on_message(sender_of(node), round, now_);
    }
    TimePoint now_{std::chrono::hours(1)};
    // A clean end, and the first save behind it.
    Witness witness_{kSelf, kTiming, Witness::File{durable_of(kThree), false},
                     now_ - kTiming.abstention()};
};

TEST_F(WitnessDiskTest, BeforeItsFirstSaveItGrantsNothing) {
    const Witness::Orders begun = witness_.on_time(now_);
    ASSERT_THAT(begun.saves, SizeIs(1));
    EXPECT_THAT(claim(1, 1).sends, IsEmpty()) << "nothing is ahead yet";
    EXPECT_THAT(witness_.on_saved(begun.saves.front().ticket, true, now_).sends, IsEmpty());
}

TEST_F(WitnessDiskTest, TwoNumbersAreGrantedAheadOfItAndAThirdWaits) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    EXPECT_THAT(claim(1, 1).sends, SizeIs(1));
    EXPECT_THAT(claim(2, 2).sends, SizeIs(1));
    const Witness::Orders third = claim(3, 1);
    EXPECT_THAT(third.sends, IsEmpty());
    ASSERT_THAT(third.saves, SizeIs(1));
    EXPECT_THAT(witness_.on_saved(third.saves.front().ticket, true, now_).sends, SizeIs(1));
}

TEST_F(WitnessDiskTest, AMarkWaitsForIt) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    const Witness::Orders marked =
        witness_.on_message(sender_of(2), MarkRequest{NodeId{1}, boot_of(1)}, now_);
    EXPECT_THAT(marked.sends, IsEmpty());
    ASSERT_THAT(marked.saves, SizeIs(1));
    const Witness::Orders saved = witness_.on_saved(marked.saves.front().ticket, true, now_);
    ASSERT_THAT(saved.sends, SizeIs(1));
    EXPECT_TRUE(std::holds_alternative<MarkAnswer>(saved.sends.front().message));
}

TEST_F(WitnessDiskTest, ADiskThatRefusesIsAVoteLessForHigherEpochs) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    const auto verdict_of = [](const Witness::Orders& orders) {
        const auto* const refusal = std::get_if<Refusal>(&orders.sends.at(0).message);
        return refusal == nullptr ? Verdict::answered : refusal->reason;
    };
    const auto saved = [this](const Witness::Orders& orders, bool succeeded) {
        ASSERT_THAT(orders.saves, SizeIs(1)) << "each event tries again";
        static_cast<void>(witness_.on_saved(orders.saves.front().ticket, succeeded, now_));
        EXPECT_EQ(witness_.saves(), succeeded);
    };
    saved(claim(1, 1), false);
    const Witness::Orders second = claim(2, 2);
    EXPECT_EQ(verdict_of(second), Verdict::answered) << "that number is on the disk";
    saved(second, false);
    const Witness::Orders third = claim(3, 1);
    EXPECT_EQ(verdict_of(third), Verdict::cannot_save);
    saved(third, true);
    EXPECT_EQ(verdict_of(claim(3, 1)), Verdict::answered);
}

// A disk that refuses is found before a takeover needs it.
TEST_F(WitnessDiskTest, ItIsTriedEachMinuteAndEachSecondWhileItRefuses) {
    const Witness::Orders begun = witness_.on_time(now_);
    ASSERT_THAT(begun.saves, SizeIs(1));
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    for (const bool works : {true, false, true}) {
        const auto next = witness_.next_deadline();
        ASSERT_TRUE(next);
        EXPECT_EQ(*next - now_,
                  witness_.saves() ? std::chrono::seconds(60) : std::chrono::seconds(1));
        now_ = *next;
        const Witness::Orders tried = witness_.on_time(now_);
        ASSERT_THAT(tried.saves, SizeIs(1));
        EXPECT_TRUE(tried.saves.front().file.ahead);
        EXPECT_FALSE(witness_.next_deadline()) << "until it is done";
        static_cast<void>(witness_.on_saved(tried.saves.front().ticket, works, now_));
        EXPECT_EQ(witness_.saves(), works);
    }
}

TEST_F(WitnessDiskTest, OneThatStandsStillCostsNoMemory) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    std::size_t saves = 0;
    for (std::uint64_t number = 1; number <= 1'000; ++number) {
        saves += claim(number, 1 + number % 2).saves.size();
        static_cast<void>(claim(number, 1 + number % 2));
    }
    EXPECT_LE(saves, 64U);
    EXPECT_LE(witness_.waiting(), 64U);
    // When it moves again, so does the vote.
    for (const Send& send :
         witness_.on_saved(begun.saves.front().ticket + 1'000, true, now_).sends) {
        EXPECT_TRUE(std::holds_alternative<Answer>(send.message));
    }
    EXPECT_EQ(witness_.waiting(), 0U);
    EXPECT_THAT(claim(2'000, 1).saves, SizeIs(1));
}

TEST_F(WitnessDiskTest, WhileASaveIsUnderWayItIsNotTriedOnceMore) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    ASSERT_THAT(claim(1, 1).saves, SizeIs(1));
    now_ += std::chrono::seconds(61);
    EXPECT_THAT(witness_.on_time(now_).saves, IsEmpty());
}

TEST_F(WitnessDiskTest, WhatRestsOnAFailedSaveIsNeverSent) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    const Witness::Orders third = claim(3, 1);
    ASSERT_THAT(third.saves, SizeIs(1));
    EXPECT_THAT(witness_.on_saved(third.saves.front().ticket, false, now_).sends, IsEmpty());
    EXPECT_EQ(witness_.waiting(), 0U);
}

TEST_F(WitnessDiskTest, AListWaitsForIt) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    Round round;
    round.id = {{1, NodeId{1}}, {1}, 1};
    round.lease = kTiming.lease;
    round.voters = witness_.engine().state().voters;
    round.voters.current.version = {{1, NodeId{1}}, 1};
    const Witness::Orders listed = witness_.on_message(sender_of(1), round, now_);
    EXPECT_THAT(listed.sends, IsEmpty());
    ASSERT_FALSE(listed.saves.empty());
    EXPECT_THAT(witness_.on_saved(listed.saves.back().ticket, true, now_).sends, SizeIs(1));
}

TEST_F(WitnessDiskTest, AnOrderedEndWaitsForIt) {
    const Witness::Orders begun = witness_.on_time(now_);
    static_cast<void>(witness_.on_saved(begun.saves.front().ticket, true, now_));
    const Witness::Orders first = claim(1, 1);
    static_cast<void>(witness_.on_saved(first.saves.front().ticket, true, now_));
    const Witness::Orders ended =
        witness_.on_message(sender_of(1), Release{{1, NodeId{1}}, true, true}, now_);
    ASSERT_THAT(ended.saves, SizeIs(1));
    EXPECT_THAT(witness_.on_message(sender_of(2), Recall{}, now_).sends, IsEmpty());
    EXPECT_THAT(witness_.on_saved(ended.saves.front().ticket, true, now_).sends, SizeIs(1));
}

// What it was told is not on its disk yet, and there is no file that covers it.
TEST(WitnessTest, BehindALostDiskItReportsNothingBeforeItsFirstSave) {
    Witness witness(kSelf, kTiming, std::nullopt, {});
    const TimePoint now = TimePoint{} + kTiming.abstention();
    for (const NodeId node : kPair) {
        static_cast<void>(witness.on_message(sender_of(node.value), Hello{}, now));
    }
    // Of a list that it is not in, what one of the two tells is enough.
    const Witness::Orders orders = witness.on_message(
        sender_of(1), Memory{kSelf.instance, {1, NodeId{1}}, {}, durable_of(kPair).voters}, now);
    ASSERT_TRUE(witness.engine().remembers());
    ASSERT_FALSE(orders.saves.empty());
    EXPECT_THAT(witness.on_message(sender_of(1), Recall{}, now).sends, IsEmpty());
    EXPECT_FALSE(witness.on_saved(orders.saves.back().ticket, true, now).sends.empty());
}

TEST(WitnessTest, OfNodesThatHaveSpokenItsOwnListHasTheLastOnes) {
    Witness witness(kSelf, kTiming, std::nullopt, {});
    for (unsigned node = 1; node <= 10; ++node) {
        static_cast<void>(witness.on_message(sender_of(node), Hello{}, TimePoint{}));
    }
    const std::vector<NodeId> nodes = witness.engine().state().voters.current.nodes;
    EXPECT_THAT(nodes, SizeIs(kNodesBesideWitness + 1));
    EXPECT_TRUE(is_in(nodes, NodeId{10}));
    EXPECT_FALSE(is_in(nodes, NodeId{1}));
}

TEST(WitnessTest, WhatRemembersNothingLeavesNoFile) {
    EXPECT_FALSE(Witness(kSelf, kTiming, std::nullopt, {}).last_file());
}

TEST(WitnessTest, ItNeverClaimsAndIsInNoListOfItsOwn) {
    Witness witness(kSelf, kTiming, std::nullopt, {});
    EXPECT_FALSE(witness.engine().remembers());
    // By the first list of a pair it has no vote.
    Round round;
    round.id = {{1, NodeId{1}}, {1}, 1};
    round.lease = kTiming.lease;
    round.voters = {{{}, kPair}, std::nullopt};
    const TimePoint now = TimePoint{} + kTiming.abstention();
    static_cast<void>(witness.on_message(sender_of(2), Hello{}, now));
    const Witness::Orders orders = witness.on_message(sender_of(1), round, now);
    EXPECT_EQ(witness.engine().voter().granted(), Epoch{});
    for (const Send& send : orders.sends) {
        EXPECT_FALSE(std::holds_alternative<Answer>(send.message));
    }
    EXPECT_EQ(witness.engine().holder().phase(), Phase::idle);
    EXPECT_EQ(witness.engine().state().voters.current.nodes, kThree);
}

TEST(WitnessTest, ItTakesNothingFromAnotherOne) {
    Witness witness(kSelf, kTiming, std::nullopt, {});
    Voters list;
    list.current = {{{3, NodeId{1}}, 0}, {NodeId{1}, kWitness}};
    const TimePoint now = TimePoint{} + kTiming.abstention();
    static_cast<void>(witness.on_message(kSelf, Memory{{1}, {}, {}, list}, now));
    EXPECT_FALSE(witness.engine().remembers());
    EXPECT_THAT(witness.engine().state().voters.current.nodes, ElementsAre(kWitness));
}

}  // namespace witness_test
}  // namespace vpnha::lease
