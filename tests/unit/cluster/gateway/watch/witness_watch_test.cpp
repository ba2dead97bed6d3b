// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/witness_watch.hpp"

#include <gtest/gtest.h>

namespace vpnha::node {
namespace witness_watch_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};
const lease::Sender kLife{lease::kWitness, {}, lease::Instance{7}};
const lease::Sender kNextLife{lease::kWitness, {}, lease::Instance{8}};

lease::Memory memory(bool has_list) {
    lease::Memory memory;
    memory.voters.current = {{Epoch{has_list ? 3U : 0U, NodeId{has_list ? 1U : 0U}}, 0},
                             {NodeId{1}, NodeId{2}}};
    return memory;
}

TEST(WitnessWatchTest, ItIsLostAfterThreeSecondsAndEachIsReportedOnce) {
    WitnessWatch watch;
    EXPECT_FALSE(watch.take_news(kStart));
    watch.on_message(kLife, lease::Hello{}, kStart);
    EXPECT_EQ(watch.take_news(kStart), true);
    EXPECT_FALSE(watch.take_news(kStart + milliseconds(2999)));
    EXPECT_EQ(watch.take_news(kStart + seconds(3)), false);
    EXPECT_FALSE(watch.take_news(kStart + seconds(9)));
}

TEST(WitnessWatchTest, ItMayBeAddedWhenItWasReceivedForASecondAndRemembersAList) {
    WitnessWatch watch;
    watch.on_message(kLife, lease::Hello{}, kStart);
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(2))) << "it has not said what it remembers";
    watch.on_message(kLife, memory(false), kStart);
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(2)));
    watch.on_message(kLife, memory(true), kStart);
    EXPECT_FALSE(watch.may_be_added(kStart + milliseconds(999)));
    EXPECT_TRUE(watch.may_be_added(kStart + seconds(1)));
    watch.set_differing(true);
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(1)));
    watch.set_differing(false);
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(3))) << "it is not heard any more";
}

TEST(WitnessWatchTest, AnotherLifeBeginsAnew) {
    WitnessWatch watch;
    watch.on_message(kLife, memory(true), kStart);
    watch.on_message(kNextLife, lease::Hello{}, kStart + seconds(2));
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(4))) << "its disk may be lost";
    watch.on_message(kNextLife, memory(true), kStart + seconds(2));
    EXPECT_TRUE(watch.may_be_added(kStart + seconds(3)));
}

TEST(WitnessWatchTest, TwoLivesThatNodesReceiveForThreeSecondsAreTwoWitnesses) {
    WitnessWatch watch;
    const std::vector<lease::Instance> other{lease::Instance{0}, kNextLife.instance};
    std::optional<bool> news;
    for (int second = 0; second <= 3; ++second) {
        const TimePoint now = kStart + seconds(second);
        watch.on_message(kLife, memory(true), now);
        static_cast<void>(watch.take_news(now));
        EXPECT_FALSE(news.has_value());
        news = watch.compare(other, now);
    }
    EXPECT_EQ(news, true);
    EXPECT_TRUE(watch.are_two());
    EXPECT_FALSE(watch.may_be_added(kStart + seconds(3)));
    EXPECT_FALSE(watch.compare(other, kStart + seconds(4))) << "it is told once";
    EXPECT_EQ(watch.compare({kLife.instance}, kStart + seconds(5)), false);
    EXPECT_FALSE(watch.are_two());
}

TEST(WitnessWatchTest, AWitnessThatStartsOrIsNotReceivedIsNoSecondOne) {
    WitnessWatch watch;
    watch.on_message(kLife, lease::Hello{}, kStart);
    static_cast<void>(watch.take_news(kStart));
    EXPECT_FALSE(watch.compare({kNextLife.instance}, kStart));
    EXPECT_FALSE(watch.compare({kNextLife.instance}, kStart + milliseconds(2999)));
    watch.on_message(kNextLife, lease::Hello{}, kStart + milliseconds(2999));
    EXPECT_FALSE(watch.compare({kNextLife.instance}, kStart + seconds(3)));
    EXPECT_FALSE(watch.compare({kLife.instance}, kStart + seconds(4)));
    EXPECT_EQ(watch.take_news(kStart + seconds(7)), false);
    EXPECT_FALSE(watch.compare({kLife.instance}, kStart + seconds(9)));
    EXPECT_EQ(watch.life(), lease::Instance{});
}

TEST(WitnessWatchTest, ALifeThatIsReceivedAgainAfterAnotherOneIsACopy) {
    WitnessWatch watch;
    for (const lease::Sender& life : {kLife, kNextLife}) {
        watch.on_message(life, lease::Hello{}, kStart);
    }
    EXPECT_FALSE(watch.compare({}, kStart)) << "it was started anew";
    watch.on_message(kLife, lease::Hello{}, kStart + seconds(1));
    EXPECT_EQ(watch.compare({}, kStart + seconds(1)), true);
    EXPECT_FALSE(watch.compare({}, kStart + milliseconds(3999)));
    EXPECT_EQ(watch.compare({}, kStart + seconds(4)), false);
}

TEST(WitnessWatchTest, TheRoundTripIsFromAHelloToItsFirstAnswer) {
    WitnessWatch watch;
    watch.on_message(kLife, lease::Hello{}, kStart);
    EXPECT_FALSE(watch.round_trip());
    watch.on_hello_sent(kStart);
    watch.on_message(kLife, lease::Recall{}, kStart + milliseconds(1));
    watch.on_message(kLife, lease::Hello{}, kStart + milliseconds(2));
    watch.on_message(kLife, lease::Hello{}, kStart + milliseconds(9));
    EXPECT_EQ(watch.round_trip(), milliseconds(2));
}

TEST(WitnessWatchTest, ItMayAnswerTheOtherNodeUntilItReportsOtherwise) {
    constexpr Duration kWithin = milliseconds(515);
    const auto emits = [](lease::Verdict verdict, NodeId granted, std::optional<Duration> ago) {
        lease::Opinion opinion;
        opinion.id.epoch = {7, NodeId{2}};
        opinion.verdict = verdict;
        opinion.granted = {6, granted};
        opinion.answered_ago = ago;
        return opinion;
    };
    const auto may = [&](WitnessWatch& watch, const lease::Opinion& opinion, Duration later) {
        watch.on_message(kLife, opinion, kStart);
        return watch.may_answer_other(kStart, kWithin, kStart + later);
    };
    using lease::Verdict;
    WitnessWatch watch;
    EXPECT_TRUE(watch.may_answer_other(kStart, kWithin, kStart + seconds(9))) << "it said nothing";
    EXPECT_TRUE(may(watch, emits(Verdict::answered, NodeId{1}, milliseconds(100)), {}));
    EXPECT_TRUE(
        may(watch, emits(Verdict::answered, NodeId{1}, milliseconds(100)), milliseconds(414)));
    EXPECT_FALSE(
        may(watch, emits(Verdict::answered, NodeId{1}, milliseconds(100)), milliseconds(415)));
    EXPECT_FALSE(may(watch, emits(Verdict::answered, NodeId{1}, seconds(1)), {}));
    EXPECT_TRUE(may(watch, emits(Verdict::promised, NodeId{1}, std::nullopt), {})) << "a claim";
    EXPECT_FALSE(may(watch, emits(Verdict::promised, NodeId{2}, std::nullopt), {})) << "its own";
    EXPECT_FALSE(may(watch, emits(Verdict::promised, NodeId{}, std::nullopt), {})) << "a mark";
    EXPECT_TRUE(watch.may_answer_other(kStart + milliseconds(1), kWithin, kStart + seconds(9)))
        << "an older word";
}

}  // namespace witness_watch_test
}  // namespace vpnha::node
