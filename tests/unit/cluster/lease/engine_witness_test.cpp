// SPDX-License-Identifier: GPL-2.0-or-later
// 16, 17: what two nodes take from a witness that lies. It answers both whatever they ask.
#include <gmock/gmock.h>

#include <random>

#include "base/limits.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace engine_witness_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timing kTiming;
const Sender kLiar{kWitness, boot_of(9), Instance{1}};
const std::vector<NodeId> kPair{NodeId{1}, NodeId{2}};
const std::vector<NodeId> kThree{NodeId{1}, NodeId{2}, kWitness};

// Two nodes whose list has a witness; node 1 serves, and node 2 claims whatever it is told.
class Pair {
  public:
    explicit Pair(bool promoted = true) {
        for (const unsigned node : {1U, 2U}) {
            cluster.put_back(node, durable_of(kThree));
            cluster.start(node);
        }
        cluster.wait(kTiming.abstention());
        if (promoted) {
            cluster.promote(1);
            cluster.run(2, cluster[2].claim(cluster.now()));
        }
    }
    // The witness says so to that node.
    void notify(unsigned node, const Message& message) {
        cluster.run(node, cluster[node].on_message(kLiar, message, cluster.now()));
    }
    // What a node that claims was told is its round.
    [[nodiscard]] RoundId round_of(unsigned node) {
        const Holder::State& holder = cluster[node].holder().state();
        return {holder.claimed, {2}, holder.number};
    }
    void agree(unsigned node) {
        for (const Send& sent : all_of_kind<Send>(cluster.take(node))) {
            if (sent.to != kWitness) {
                continue;
            }
            if (const auto* round = std::get_if<Round>(&sent.message)) {
                notify(node, Answer{round->id, {}, std::nullopt});
            } else if (const auto* question = std::get_if<Question>(&sent.message)) {
                notify(node, Opinion{question->id, Verdict::answered, {}, question->voters});
            }
        }
    }
    // One of both speaks at any time, and nobody is fenced.
    void expect_one_owner(Duration time = std::chrono::seconds(2)) {
        for (Duration passed{}; passed < time; passed += milliseconds(10)) {
            cluster.live(milliseconds(10));
            agree(1);
            agree(2);
            ASSERT_FALSE(cluster.speaks(1) && cluster.speaks(2)) << passed.count();
        }
        EXPECT_FALSE(cluster[1].state().fenced);
        EXPECT_FALSE(cluster[2].state().fenced);
    }

    Cluster cluster{2};
};

Voters newer(const Engine& engine, std::vector<NodeId> nodes) {
    const Epoch epoch = std::max(engine.voter().granted(), {1, NodeId{1}});
    return {{{epoch, 7}, std::move(nodes)}, std::nullopt};
}

TEST(EngineWitnessTest, WhatItAnswersIsAVote) {
    Pair pair;
    pair.cluster.stop(1);
    pair.cluster.live(kTiming.promise(kTiming.lease) + kTiming.renew);
    EXPECT_FALSE(pair.cluster.speaks(2));
    pair.agree(2);
    EXPECT_TRUE(pair.cluster.speaks(2));
}

TEST(EngineWitnessTest, AgreeingToAllItMakesNoSecondOwner) {
    Pair pair;
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, NoListIsLearnedFromIt) {
    Pair pair;
    for (const unsigned node : {1U, 2U}) {
        const Engine& engine = pair.cluster[node];
        const Voters own = engine.state().voters;
        const Voters list = newer(engine, {NodeId{node}, kWitness});
        pair.notify(node, Refusal{pair.round_of(node), Verdict::superseded, {}, list});
        pair.notify(node, MarkAnswer{NodeId{2}, boot_of(2), false, list});
        pair.notify(node, Memory{{2}, {}, {}, list});
        EXPECT_EQ(engine.state().voters, own);
        EXPECT_THAT(engine.state().differing, IsEmpty());
    }
    pair.expect_one_owner();
}

TEST(EngineWitnessTest, NoListIsLearnedFromItsOpinion) {
    Pair pair(false);
    pair.cluster.run(2, pair.cluster[2].stand_in(pair.cluster.now()));
    const std::vector<Question> asked = sent<Question>(pair.cluster.take(2));
    ASSERT_THAT(asked, SizeIs(2));
    const Voters own = pair.cluster[2].state().voters;
    pair.notify(2, Opinion{asked.front().id,
                           Verdict::promised,
                           {},
                           newer(pair.cluster[2], {NodeId{2}, kWitness})});
    EXPECT_EQ(pair.cluster[2].state().voters, own);
}

TEST(EngineWitnessTest, ItsRoundReleasesNobodyAndIsAnsweredByNobody) {
    Pair pair;
    Round round;
    round.id = {{2, kWitness}, {1}, 1};
    round.lease = kTiming.lease;
    round.voters = pair.cluster[2].state().voters;
    round.released = pair.cluster[1].holder().epoch();
    pair.notify(2, round);
    EXPECT_FALSE(pair.cluster[2].voter().state().promise.released);
    EXPECT_EQ(pair.cluster[2].voter().granted(), pair.cluster[1].holder().epoch());
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, ItsReleaseAndItsQuestionAreNotTaken) {
    Pair pair;
    const Engine before = pair.cluster[2];
    pair.notify(2, Release{{5, kWitness}, true, true});
    Question question{{{5, kWitness}, {1}, 1}, newer(before, {NodeId{2}, kWitness}), {}};
    EXPECT_THAT(pair.cluster[2].on_message(kLiar, question, pair.cluster.now()), IsEmpty());
    EXPECT_TRUE(pair.cluster[2] == before);
}

TEST(EngineWitnessTest, NoHandoverIsTakenFromIt) {
    Pair pair;
    const Handover handover{pair.cluster[1].holder().epoch(), pair.cluster.now(), {}};
    pair.notify(2, Answer{pair.round_of(2), {}, handover});
    EXPECT_FALSE(pair.cluster[2].voter().state().promise.released);
    EXPECT_FALSE(pair.cluster[2].holder().state().handover);
    EXPECT_THAT(pair.cluster[2].holder().state().rounds.back().answered, IsEmpty());
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, ItHasNobodyMarked) {
    Pair pair;
    pair.notify(1, MarkRequest{NodeId{1}, boot_of(1)});
    pair.notify(2, MarkRequest{NodeId{1}, boot_of(1)});
    EXPECT_THAT(pair.cluster[2].voter().state().marks, IsEmpty());
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, NoMarksAreLearnedFromIt) {
    Pair pair;
    const Marks marks{{NodeId{1}, boot_of(1)}};
    for (const unsigned node : {1U, 2U}) {
        const Voters& voters = pair.cluster[node].state().voters;
        pair.notify(node, Answer{pair.round_of(node), {}, std::nullopt, true, marks});
        pair.notify(node, Refusal{pair.round_of(node), Verdict::promised, {}, voters, marks});
        pair.notify(node, MarkAnswer{NodeId{1}, boot_of(1), true, voters, marks});
        pair.notify(node, Memory{{2}, {}, marks, voters});
        EXPECT_THAT(pair.cluster[node].voter().state().marks, IsEmpty());
    }
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, ItsRefusalFencesNobody) {
    Pair pair;
    const Voters& voters = pair.cluster[1].state().voters;
    pair.notify(1, Refusal{pair.round_of(1), Verdict::marked, {}, voters});
    EXPECT_FALSE(pair.cluster[1].state().fenced);
    EXPECT_TRUE(pair.cluster.speaks(1));
}

TEST(EngineWitnessTest, WhatItCallsAnOrderIsANoAndNoMore) {
    Pair pair(false);
    pair.cluster.run(2, pair.cluster[2].stand_in(pair.cluster.now()));
    const Question asked = sent<Question>(pair.cluster.take(2)).front();
    const Voters& voters = pair.cluster[2].state().voters;
    pair.notify(2, Opinion{asked.id, Verdict::ordered, {9, NodeId{1}}, voters});
    EXPECT_EQ(pair.cluster[2].voter().ordered(), Epoch{});
}

TEST(EngineWitnessTest, EpochsThatItAloneNamesDoNotRunAway) {
    Pair pair;
    Engine& engine = pair.cluster[2];
    const Voters& voters = engine.state().voters;
    const std::uint64_t named = engine.holder().epoch().number;
    const auto name = [&](std::uint64_t number) {
        const Epoch epoch{number, NodeId{1}};
        static_cast<void>(
            engine.on_message(kLiar, Refusal{pair.round_of(2), Verdict::superseded, epoch, voters},
                              pair.cluster.now()));
        static_cast<void>(engine.on_message(
            kLiar, Answer{pair.round_of(2), {Knowledge::nothing_before, {}, epoch}, std::nullopt},
            pair.cluster.now()));
        return std::max(engine.holder().state().seen.number,
                        engine.holder().state().elsewhere.number);
    };
    const std::uint64_t most = named + limits::kWitnessEpochJumpMax;
    EXPECT_EQ(name(most), most);
    EXPECT_EQ(name(most + 1), most) << "what it has named moves the bound";
    // Of a node the same is taken.
    engine.note_claimed({most + 1, NodeId{1}});
    EXPECT_EQ(engine.holder().state().seen.number, most + 1);
}

TEST(EngineWitnessTest, WithoutAMemoryItsListIsNotTaken) {
    Pair pair;
    pair.cluster.start(2, false);
    pair.cluster.cut(2);
    pair.cluster.live(kTiming.abstention() + kTiming.lease);
    const Engine& engine = pair.cluster[2];
    pair.notify(2, Memory{{3}, {}, {}, newer(engine, {NodeId{2}, kWitness})});
    EXPECT_FALSE(engine.remembers());
    EXPECT_EQ(engine.state().voters.current.nodes, nodes_to(2));
}

// It is waited for all the same: what it has granted a node may have forgotten.
TEST(EngineWitnessTest, WithoutAMemoryANodeAsksTheOtherOneAndIt) {
    Pair pair;
    const Voters list = pair.cluster[1].state().voters;
    pair.cluster.start(2, false);
    pair.cluster.live(kTiming.abstention() + 3 * kTiming.lease);
    const Engine& engine = pair.cluster[2];
    EXPECT_THAT(engine.awaited(), ElementsAre(kWitness));
    bool asked = false;
    for (const Send& sent : all_of_kind<Send>(pair.cluster.take(2))) {
        asked = asked || (sent.to == kWitness && std::holds_alternative<Recall>(sent.message));
    }
    EXPECT_TRUE(asked);
    const Epoch granted{4, NodeId{2}};
    pair.notify(2, Memory{{3}, granted, {}, list});
    EXPECT_TRUE(engine.remembers());
    EXPECT_EQ(engine.state().voters, list);
    EXPECT_EQ(engine.voter().granted(), granted);
}

TEST(EngineWitnessTest, AFirstListHasNone) {
    Engine engine({sender_of(1), {}, kThree}, std::nullopt, {});
    EXPECT_EQ(engine.state().voters.current.nodes, kPair);
    static_cast<void>(engine.configure({NodeId{1}, NodeId{3}, kWitness}, {}));
    EXPECT_THAT(engine.state().voters.current.nodes, ElementsAre(NodeId{1}, NodeId{3}));
}

TEST(EngineWitnessTest, NoGroupMissesItAndItHasNoLife) {
    Pair pair;
    pair.cluster.members(1, kPair, true);
    EXPECT_FALSE(pair.cluster[1].voter().is_absent(kWitness));
    EXPECT_THAT(pair.cluster[1].voter().state().absent_since, IsEmpty());
    pair.notify(1, Recall{});
    EXPECT_EQ(pair.cluster[1].newest_life_of(kWitness), std::nullopt);
    EXPECT_FALSE(pair.cluster[1].fence(kWitness, boot_of(9), pair.cluster.now()).has_value());
    static_cast<void>(pair.cluster[1].on_message(sender_of(2), MarkRequest{kWitness, boot_of(9)},
                                                 pair.cluster.now()));
    EXPECT_THAT(pair.cluster[1].voter().state().marks, IsEmpty());
}

// Of two voters one may continue alone; a node and a witness are not two nodes.
TEST(EngineWitnessTest, ItsDeathLeavesNobodyAlone) {
    Engine engine({sender_of(1), {}, {NodeId{1}}}, durable_of({NodeId{1}, kWitness}), {});
    EXPECT_FALSE(engine.confirm_dead(kWitness, Confirmed::by_operator, {}).has_value());
    EXPECT_FALSE(engine.state().alone);
}

// Node 2 claims, and the witness has that to say of the epoch before.
Margin margin_of(Pair& pair, const Before& before) {
    pair.cluster.take(2);
    for (int i = 0; i < 100; ++i) {
        pair.cluster.live(milliseconds(10));
        for (const Round& round : sent<Round>(pair.cluster.take(2))) {
            const Effects effects = pair.cluster[2].on_message(
                kLiar, Answer{round.id, before, std::nullopt}, pair.cluster.now());
            if (const auto granted = all_of_kind<Granted>(effects); !granted.empty()) {
                return granted.front().margin;
            }
        }
    }
    ADD_FAILURE() << "not granted";
    return {};
}

// A counter's margin: what the witness says of the rounds before.
class EngineWitnessMarginTest : public ::testing::Test {
  protected:
    // Node 1 served with a checkpoint that it took a moment before; node 2 does not hear it since.
    EngineWitnessMarginTest() {
        pair_.cluster[1].set_checkpoint(checkpoint_);
        pair_.cluster.live(kTiming.renew);
        last_ = *pair_.cluster[2].voter().state().received;
        pair_.cluster.cut(2);
    }
    [[nodiscard]] Margin margin_with(const Before& before) { return margin_of(pair_, before); }
    // Newest of all, with a checkpoint of this moment.
    [[nodiscard]] Before newest() {
        const TimePoint now = pair_.cluster.now();
        const Epoch epoch = last_.epoch;
        return {Knowledge::received,
                Received{epoch, last_.number + 100, now + kTiming.lease, true, {epoch, 9, now}},
                epoch};
    }

    Pair pair_;
    Checkpoint checkpoint_{{1, NodeId{1}}, 1, pair_.cluster.now()};
    Received last_;
};

TEST_F(EngineWitnessMarginTest, ItsWordDoesNotMakeItSmaller) {
    const Margin margin = margin_with(newest());
    EXPECT_EQ(margin.kind, Margin::Kind::bounded);
    EXPECT_EQ(margin.newest, checkpoint_);
    EXPECT_GE(margin.until, pair_.cluster.now());
}

// The holder still served, by the witness's votes.
TEST_F(EngineWitnessMarginTest, ItCoversTheTimeSinceTheHolderWasReceived) {
    const Duration served = std::chrono::seconds(10);
    pair_.cluster.wait(served);
    const Margin margin = margin_with({Knowledge::received, last_, last_.epoch});
    ASSERT_TRUE(margin.run_on());
    EXPECT_GE(*margin.run_on(), served + kTiming.lease);
    EXPECT_LE(*margin.run_on(), served + served / 50 + std::chrono::seconds(2));
}

TEST_F(EngineWitnessMarginTest, WhoHasReceivedNoRoundHasTheLargest) {
    for (const Before& before : {newest(), Before{}}) {
        Pair pair(false);
        pair.cluster.stop(1);
        pair.cluster.run(2, pair.cluster[2].claim(pair.cluster.now()));
        EXPECT_EQ(margin_of(pair, before).kind, Margin::Kind::largest);
    }
}

TEST_F(EngineWitnessMarginTest, WhereAnotherNodeWasGrantedOneSinceItIsTheLargest) {
    Before before = newest();
    before.elsewhere = {last_.epoch.number + 1, NodeId{1}};
    EXPECT_EQ(margin_with(before).kind, Margin::Kind::largest);
}

TEST_F(EngineWitnessMarginTest, WhereBothNodesAnsweredItIsAsEver) {
    pair_.cluster.mend(2);
    pair_.cluster.live(kTiming.renew);
    last_ = *pair_.cluster[2].voter().state().received;
    pair_.cluster.take(2);
    pair_.cluster.run(1, pair_.cluster[1].release(false, pair_.cluster.now()));
    pair_.cluster.live(kTiming.renew);
    const auto granted = all_of_kind<Granted>(pair_.cluster.take(2));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted.front().margin.until, last_.until);
    EXPECT_EQ(granted.front().margin.kind, Margin::Kind::bounded);
}

// Anything of its seven kinds, and the four others, at any time.
TEST(EngineWitnessTest, WhateverItReportsTwoNodesThatReceiveEachOtherAreOneOwner) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        Pair pair;
        std::mt19937 random(seed);
        const auto any = [&random](unsigned below) {
            return static_cast<unsigned>(random() % below);
        };
        const auto report_something = [&](unsigned node) {
            const Engine& engine = pair.cluster[node];
            const Epoch epoch{engine.voter().granted().number + any(3), NodeId{1 + any(2)}};
            const Voters list =
                any(2) == 0 ? engine.state().voters : newer(engine, {NodeId{node}, kWitness});
            const Marks marks =
                any(2) == 0 ? Marks{} : Marks{{NodeId{1 + any(2)}, boot_of(1 + any(2))}};
            const RoundId id =
                any(2) == 0 ? pair.round_of(node) : RoundId{{epoch.number, kWitness}, {1}, any(9)};
            const Before before{Knowledge(any(3)), {epoch, any(99), {}, true, {}}, epoch};
            const auto verdict = Verdict(any(13));
            const bool yes = any(2) == 0;
            Round round;
            round.id = id;
            round.lease = kTiming.lease;
            round.held = yes;
            round.voters = list;
            round.released = epoch;
            round.marks = marks;
            const Message messages[] = {
                Answer{id, before, std::nullopt, yes, marks},
                Answer{id, before, Handover{epoch, {}, {}}, yes, marks},
                Refusal{id, verdict, epoch, list, marks},
                Opinion{id, verdict, epoch, list, marks},
                MarkAnswer{NodeId{1 + any(2)}, boot_of(1 + any(2)), yes, list, marks},
                Memory{{2}, epoch, marks, list},
                Recall{},
                round,
                Release{epoch, yes, any(2) == 0},
                Release{{epoch.number, kWitness}, yes, any(2) == 0},
                MarkRequest{NodeId{1 + any(2)}, boot_of(1 + any(2))},
                Question{id, list, {}, marks}};
            pair.notify(node, messages[any(std::size(messages))]);
        };
        for (int i = 0; i < 100; ++i) {
            report_something(1 + any(2));
            report_something(1 + any(2));
            pair.expect_one_owner(milliseconds(10));
        }
        EXPECT_EQ(pair.cluster[1].state().voters.current.nodes, kThree);
        EXPECT_EQ(pair.cluster[2].state().voters.current.nodes, kThree);
        EXPECT_TRUE(pair.cluster.speaks(1));
    }
}

// It has just started, so it may have voted for the other one in a life before.
TEST(EngineWitnessTest, ItsVoteCountsWithTheNodesOwnOnly) {
    Pair pair(false);
    pair.cluster.start(1);
    pair.cluster.promote(1);
    pair.agree(1);
    EXPECT_EQ(pair.cluster.phase(1), Phase::claiming) << "node 2 and the witness have answered";
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(1));
}

// Node 1 serves by the witness's vote. Node 2 starts, and is promoted between two rounds of node 1.
void restart_between_rounds(Pair& pair) {
    pair.cluster.live(milliseconds(50));
    pair.cluster.start(2);
    for (Duration passed{}; passed < kTiming.abstention(); passed += milliseconds(10)) {
        pair.cluster.live(milliseconds(10));
        pair.agree(1);
    }
    ASSERT_FALSE(pair.cluster[2].voter().abstains(pair.cluster.now()));
    ASSERT_EQ(pair.cluster[2].voter().state().promise.epoch, Epoch{}) << "it answered nobody";
}

TEST(EngineWitnessTest, ARenewalThatANodeCouldNotAnswerBindsItAllTheSame) {
    Pair pair;
    restart_between_rounds(pair);
    pair.cluster.promote(2);
    pair.agree(2);
    EXPECT_TRUE(pair.cluster.speaks(1));
    EXPECT_FALSE(pair.cluster.speaks(2));
    pair.expect_one_owner();
}

// Node 2 claims while node 1 abstains; a witness that lies grants it that later.
TEST(EngineWitnessTest, SoDoesAClaim) {
    Pair pair(false);
    pair.cluster.start(1);
    pair.cluster.live(kTiming.abstention() - milliseconds(5));
    ASSERT_TRUE(pair.cluster[1].voter().abstains(pair.cluster.now()));
    pair.cluster.promote(2);
    pair.cluster.wait(milliseconds(10));
    pair.cluster.promote(1);
    pair.agree(1);
    pair.agree(2);
    EXPECT_FALSE(pair.cluster.speaks(1));
    EXPECT_TRUE(pair.cluster.speaks(2));
    pair.expect_one_owner();
}

TEST(EngineWitnessTest, ARenewalBindsNobodyBehindItsRelease) {
    Pair pair;
    restart_between_rounds(pair);
    const Release release{pair.cluster[1].holder().epoch(), true, false};
    pair.cluster.run(2, pair.cluster[2].on_message(sender_of(1, 2), release, pair.cluster.now()));
    pair.cluster.stop(1);
    pair.cluster.promote(2);
    pair.agree(2);
    EXPECT_TRUE(pair.cluster.speaks(2));
}

// Neither has received a round of the other one: nothing keeps a witness from answering both.
TEST(EngineWitnessTest, OfTwoHoldersTheLowerOneEndsWithTheFirstRenewalOfTheOther) {
    Pair pair(false);
    pair.cluster.cut(2);
    for (const unsigned node : {1U, 2U}) {
        pair.cluster.promote(node);
        pair.agree(node);
        ASSERT_TRUE(pair.cluster.speaks(node));
    }
    pair.cluster.mend(2);
    pair.cluster.live(milliseconds(10));
    EXPECT_FALSE(pair.cluster.speaks(1));
    EXPECT_TRUE(pair.cluster[1].state().wanted) << "Pacemaker has it promoted";
    pair.expect_one_owner();
    EXPECT_TRUE(pair.cluster.speaks(2));
}

// Node 1 is dead, and node 2 asks. The witness answered node 1 so much later than node 2 heard it.
Duration silence_with(Duration later) {
    Pair pair;
    pair.cluster.run(2, pair.cluster[2].demote(pair.cluster.now()));
    for (int i = 0; i < 5; ++i) {
        pair.cluster.live(kTiming.renew);
        pair.agree(1);
    }
    EXPECT_TRUE(pair.cluster.speaks(1));
    const TimePoint received = pair.cluster[2].voter().state().received_at;
    pair.cluster.stop(1);
    pair.cluster.wait(kTiming.promise(kTiming.lease));
    pair.cluster.run(2, pair.cluster[2].stand_in(pair.cluster.now()));
    const TimePoint begun = pair.cluster.now();
    while (!pair.cluster.speaks(2) && pair.cluster.now() < begun + std::chrono::seconds(8)) {
        for (const Send& sent : all_of_kind<Send>(pair.cluster.take(2))) {
            const auto* const question = std::get_if<Question>(&sent.message);
            if (sent.to == kWitness && question != nullptr) {
                pair.notify(2, Opinion{question->id,
                                       Verdict::answered,
                                       {},
                                       question->voters,
                                       {},
                                       pair.cluster.now() - (received + later)});
            } else if (const auto* round = std::get_if<Round>(&sent.message)) {
                pair.notify(2, Answer{round->id, {}, std::nullopt});
            }
        }
        pair.cluster.live(milliseconds(5));
    }
    return pair.cluster.now() - received;
}

TEST(EngineWitnessTest, WhoReceivedTheHolderLastWhenTheWitnessDidStandsInAtOnce) {
    EXPECT_LT(silence_with({}), milliseconds(400));
    EXPECT_LT(silence_with(kTiming.lease - milliseconds(1)), milliseconds(400));
}

TEST(EngineWitnessTest, WhoWasCutOffFromTheHolderWaits) {
    EXPECT_GE(silence_with(kTiming.lease), kTiming.lease + kTiming.absence);
    EXPECT_LT(silence_with(kTiming.lease), std::chrono::seconds(7));
}

// Node 2 is down while node 1 serves by the witness's vote, and node 1 is off when it starts. Only
// the witness could name the epochs in between, and does not.
class EngineWitnessEpochTest : public ::testing::Test {
  protected:
    EngineWitnessEpochTest() {
        Cluster& cluster = pair_.cluster;
        cluster.stop(2);
        for (int again = 0; again < 3; ++again) {
            cluster.run(1, cluster[1].release(false, cluster.now()));
            cluster.promote(1);
            pair_.agree(1);
        }
        EXPECT_TRUE(cluster.speaks(1));
        unreceived_ = cluster[1].holder().epoch();
        cluster.stop(1);
        cluster.start(2);
        cluster.wait(kTiming.abstention());
        cluster.promote(2);
        pair_.agree(2);
    }

    Pair pair_;
    Epoch unreceived_;
};

TEST_F(EngineWitnessEpochTest, ItMayGrantALowerOneWithTheLargestMargin) {
    EXPECT_FALSE(pair_.cluster.speaks(1));
    ASSERT_TRUE(pair_.cluster.speaks(2));
    EXPECT_LT(pair_.cluster[2].holder().epoch(), unreceived_);
    const auto granted = all_of_kind<Granted>(pair_.cluster.take(2));
    ASSERT_THAT(granted, SizeIs(1));
    EXPECT_EQ(granted.front().margin.kind, Margin::Kind::largest);
}

TEST_F(EngineWitnessEpochTest, TheOtherNodeNamesItWhenItIsBack) {
    ASSERT_TRUE(pair_.cluster.speaks(2));
    pair_.cluster.start(1);
    pair_.expect_one_owner();
    EXPECT_TRUE(pair_.cluster.speaks(2));
    EXPECT_EQ(pair_.cluster[2].holder().state().seen, unreceived_);
    // The next claim is above it, and node 1 answers that: the witness says nothing any more.
    pair_.cluster.live(2 * kTiming.lease);
    EXPECT_TRUE(pair_.cluster.speaks(2));
    EXPECT_GT(pair_.cluster[2].holder().epoch(), unreceived_);
}

}  // namespace engine_witness_test
}  // namespace vpnha::lease
