// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/replay_guard.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace replay_guard_test {

using Seen = ReplayGuard::Seen;

constexpr Instance kSelf{7};
const Message kWord = Release{{1, NodeId{2}}};

class ReplayGuardTest : public ::testing::Test {
  protected:
    ReplayGuardTest() { guard_.set_senders(nodes_to(3)); }

    Seen handle(std::uint64_t sequence, std::uint64_t instance = 1,
                const Message& message = kWord) {
        return guard_.on_datagram(sender_of(2, instance), sequence, message);
    }
    // What a life of node 2 that has heard this node's last word would say.
    [[nodiscard]] Hello answer() const {
        return {std::nullopt, Challenge{kSelf, guard_.greeting(NodeId{2}).challenge.value_or(0)}};
    }
    Seen meet(std::uint64_t sequence, std::uint64_t instance = 1) {
        return handle(sequence, instance, answer());
    }

    ReplayGuard guard_{kSelf};
};

TEST_F(ReplayGuardTest, ALifeIsReceivedWhenItHasRepeatedTheChallenge) {
    EXPECT_EQ(handle(1), Seen::unproven);
    EXPECT_EQ(handle(2, 1, Hello{5, std::nullopt}), Seen::unproven);
    EXPECT_EQ(meet(3), Seen::new_life);
    EXPECT_EQ(handle(4), Seen::fresh);
}

// An earlier life of this vpnhad may have taken it, and somebody may have kept it.
TEST_F(ReplayGuardTest, WhatWasSentBeforeALifeIsReceivedIsNotTaken) {
    for (const std::uint64_t met_at : {130U, 191U, 192U, 5000U}) {
        guard_ = ReplayGuard(kSelf);
        guard_.set_senders(nodes_to(3));
        ASSERT_EQ(meet(met_at), Seen::new_life);
        for (std::uint64_t back = 0; back < 130; ++back) {
            EXPECT_EQ(handle(met_at - back), Seen::replayed) << met_at - back;
        }
        for (std::uint64_t ahead = 1; ahead < 2 * kReplayWindow; ++ahead) {
            ASSERT_EQ(handle(met_at + ahead), Seen::fresh) << met_at + ahead;
        }
    }
}

TEST_F(ReplayGuardTest, TakesEachDatagramOnceInAnyOrder) {
    ASSERT_EQ(meet(10), Seen::new_life);
    for (const std::uint64_t sequence : {12U, 11U, 14U, 13U}) {
        EXPECT_EQ(handle(sequence), Seen::fresh) << sequence;
    }
    for (const std::uint64_t sequence : {12U, 11U, 10U, 14U, 13U}) {
        EXPECT_EQ(handle(sequence), Seen::replayed) << sequence;
    }
}

TEST_F(ReplayGuardTest, WhatIsOlderThanTheWindowIsDropped) {
    ASSERT_EQ(meet(1), Seen::new_life);
    ASSERT_EQ(handle(kReplayWindow + 36), Seen::fresh);
    EXPECT_EQ(handle(37), Seen::fresh);
    EXPECT_EQ(handle(36), Seen::replayed);
    EXPECT_EQ(handle(37), Seen::replayed);
    ASSERT_EQ(handle(100 * kReplayWindow), Seen::fresh);
    EXPECT_EQ(handle(kReplayWindow + 36), Seen::replayed);
    EXPECT_EQ(handle(99 * kReplayWindow + 1), Seen::fresh) << "nothing of an earlier turn is left";
}

// Each word of the ring is begun anew when the newest sequence comes to it.
TEST_F(ReplayGuardTest, TakesEachOfManyOnceWithALateCopyOfEach) {
    ASSERT_EQ(meet(1), Seen::new_life);
    constexpr std::uint64_t kLate = 3000;
    for (std::uint64_t sequence = 2; sequence < 20'000; ++sequence) {
        ASSERT_EQ(handle(sequence), Seen::fresh) << sequence;
        if (sequence > kLate + 1) {
            ASSERT_EQ(handle(sequence - kLate), Seen::replayed) << sequence;
        }
    }
}

// One sequence numbers the rounds of all gateways to all nodes.
TEST_F(ReplayGuardTest, ASlowerLinkRepairsLossesOfABurstOfFortyGateways) {
    ASSERT_EQ(meet(1), Seen::new_life);
    constexpr std::uint64_t kGateways = 40;
    constexpr std::uint64_t kPeers = 2;
    for (std::uint64_t round = 0; round < 10; ++round) {
        const auto to_this_node = [&](std::uint64_t gateway) {
            return 2 + (round * kGateways + gateway) * kPeers;
        };
        const auto is_lost = [&](std::uint64_t gateway) { return gateway % 7 == round % 7; };
        for (std::uint64_t gateway = 0; gateway < kGateways; ++gateway) {
            if (!is_lost(gateway)) {
                ASSERT_EQ(handle(to_this_node(gateway)), Seen::fresh);
            }
        }
        for (std::uint64_t gateway = 0; gateway < kGateways; ++gateway) {
            EXPECT_EQ(handle(to_this_node(gateway)),
                      is_lost(gateway) ? Seen::fresh : Seen::replayed)
                << "gateway " << gateway << " of round " << round;
        }
    }
}

TEST_F(ReplayGuardTest, TheHighestSequenceIsNotTheEndOfTheWorld) {
    ASSERT_EQ(meet(limits::kCounterMax - 2), Seen::new_life);
    EXPECT_EQ(handle(limits::kCounterMax), Seen::fresh);
    EXPECT_EQ(handle(limits::kCounterMax - 1), Seen::fresh);
    EXPECT_EQ(handle(limits::kCounterMax), Seen::replayed);
}

// Numbers of lives are random: a node that was installed anew is heard, whatever its number is.
TEST_F(ReplayGuardTest, ANewLifeIsReceivedWhateverItsNumber) {
    ASSERT_EQ(meet(1, 5), Seen::new_life);
    EXPECT_EQ(meet(1, 3), Seen::new_life);
    EXPECT_EQ(handle(2, 3), Seen::fresh);
}

TEST_F(ReplayGuardTest, AnEarlierLifeIsNeverReceivedAgain) {
    const Hello first = answer();
    ASSERT_EQ(handle(1, 5, first), Seen::new_life);
    ASSERT_EQ(meet(1, 6), Seen::new_life);
    EXPECT_EQ(handle(2, 5), Seen::unproven);
    EXPECT_EQ(handle(1, 5, first), Seen::unproven);
    EXPECT_EQ(handle(2, 6), Seen::fresh);
}

TEST_F(ReplayGuardTest, WhatWasRepeatedToAnEarlierLifeOfThisNodeProvesNothing) {
    const Hello recorded = answer();
    ASSERT_EQ(handle(1, 5, recorded), Seen::new_life);
    guard_ = ReplayGuard(Instance{8});
    guard_.set_senders(nodes_to(3));
    EXPECT_EQ(handle(1, 5, recorded), Seen::unproven);
}

TEST_F(ReplayGuardTest, WhatAnotherNodeWasGivenProvesNothing) {
    const Hello of_three{std::nullopt, Challenge{kSelf, *guard_.greeting(NodeId{3}).challenge}};
    EXPECT_EQ(handle(1, 1, of_three), Seen::unproven);
}

TEST_F(ReplayGuardTest, TwoNodesMeetByThreeHellosAndSendNoMore) {
    ReplayGuard two{Instance{9}};
    two.set_senders(nodes_to(3));
    const Sender from_one = sender_of(1, kSelf.value);
    const Sender from_two = sender_of(2, 9);
    const Hello first = guard_.greeting(NodeId{2});
    ASSERT_EQ(two.on_datagram(from_one, 1, first), Seen::unproven);
    const auto second = two.greeting(NodeId{1}, from_one, &first);
    ASSERT_TRUE(second);
    ASSERT_EQ(guard_.on_datagram(from_two, 1, *second), Seen::new_life);
    const auto third = guard_.greeting(NodeId{2}, from_two, &*second);
    ASSERT_TRUE(third);
    EXPECT_FALSE(third->challenge);
    EXPECT_EQ(two.on_datagram(from_one, 2, *third), Seen::new_life);
    EXPECT_FALSE(two.greeting(NodeId{1}, from_one, &*third));
}

TEST_F(ReplayGuardTest, AWordOfALifeThatIsNotReceivedAsksForAHello) {
    const auto hello = guard_.greeting(NodeId{2}, sender_of(2), nullptr);
    ASSERT_TRUE(hello);
    EXPECT_TRUE(hello->challenge);
    EXPECT_FALSE(hello->repeated);
    ASSERT_EQ(meet(1), Seen::new_life);
    EXPECT_FALSE(guard_.greeting(NodeId{2}, sender_of(2), nullptr));
}

TEST_F(ReplayGuardTest, StrangersAreNotReceivedAndNotAnswered) {
    EXPECT_EQ(guard_.on_datagram(sender_of(4), 1, kWord), Seen::replayed);
    EXPECT_FALSE(guard_.greeting(NodeId{4}, sender_of(4), nullptr));
    const Hello first = answer();
    ASSERT_EQ(handle(1, 1, first), Seen::new_life);
    guard_.set_senders({NodeId{1}});
    EXPECT_EQ(handle(2), Seen::replayed);
    // Nor does what it once repeated help it when it is back.
    guard_.set_senders(nodes_to(3));
    EXPECT_EQ(handle(3, 1, first), Seen::unproven);
}

TEST_F(ReplayGuardTest, AListThatKeepsANodeForgetsNothingOfIt) {
    ASSERT_EQ(meet(5), Seen::new_life);
    guard_.set_senders({NodeId{2}, NodeId{4}});
    EXPECT_EQ(handle(5), Seen::replayed);
    EXPECT_EQ(handle(6), Seen::fresh);
}

}  // namespace replay_guard_test
}  // namespace vpnha::lease
