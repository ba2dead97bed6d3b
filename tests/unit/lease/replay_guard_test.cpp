// SPDX-License-Identifier: GPL-2.0-or-later
#include "lease/replay_guard.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/lease/cluster.hpp"

namespace vpnha::lease {
namespace {

using Seen = ReplayGuard::Seen;

class ReplayGuardTest : public ::testing::Test {
  protected:
    ReplayGuardTest() { guard_.set_senders(nodes_to(3)); }
    Seen hear(std::uint64_t sequence, std::uint64_t instance = 1) {
        return guard_.on_datagram(sender_of(2, instance), sequence);
    }
    ReplayGuard guard_{{}};
};

TEST_F(ReplayGuardTest, TakesEachDatagramOnceInAnyOrder) {
    EXPECT_EQ(hear(10), Seen::new_instance);
    for (const std::uint64_t sequence : {12U, 11U, 13U, 9U}) {
        EXPECT_EQ(hear(sequence), Seen::fresh) << sequence;
    }
    for (const std::uint64_t sequence : {12U, 11U, 10U, 13U, 9U}) {
        EXPECT_EQ(hear(sequence), Seen::replayed) << sequence;
    }
}

TEST_F(ReplayGuardTest, WhatIsOlderThanTheWindowIsDropped) {
    ASSERT_EQ(hear(1), Seen::new_instance);
    ASSERT_EQ(hear(100), Seen::fresh);
    EXPECT_EQ(hear(37), Seen::fresh);
    EXPECT_EQ(hear(36), Seen::replayed);
    ASSERT_EQ(hear(1000), Seen::fresh);
    EXPECT_EQ(hear(100), Seen::replayed);
}

TEST_F(ReplayGuardTest, TheHighestSequenceIsNotTheEndOfTheWorld) {
    ASSERT_EQ(hear(limits::kCounterMax - 1), Seen::new_instance);
    EXPECT_EQ(hear(limits::kCounterMax), Seen::fresh);
    EXPECT_EQ(hear(limits::kCounterMax - 2), Seen::fresh);
    EXPECT_EQ(hear(limits::kCounterMax), Seen::replayed);
}

TEST_F(ReplayGuardTest, AnOlderInstanceIsNeverHeardAgain) {
    ASSERT_EQ(hear(1, 5), Seen::new_instance);
    ASSERT_EQ(hear(1, 6), Seen::new_instance);
    EXPECT_EQ(hear(2, 5), Seen::replayed);
}

TEST_F(ReplayGuardTest, AnOlderInstanceIsKnownOverARestart) {
    ASSERT_EQ(hear(1, 6), Seen::new_instance);
    ReplayGuard restarted(guard_.known());
    EXPECT_EQ(restarted.on_datagram(sender_of(2, 5), 7), Seen::replayed);
    EXPECT_EQ(restarted.on_datagram(sender_of(2, 6), 2), Seen::fresh);
    EXPECT_EQ(restarted.on_datagram(sender_of(2, 7), 1), Seen::new_instance);
}

TEST_F(ReplayGuardTest, StrangersAreNotHeard) {
    EXPECT_EQ(guard_.on_datagram(sender_of(4), 1), Seen::replayed);
    ASSERT_EQ(hear(1), Seen::new_instance);
    guard_.set_senders({NodeId{1}});
    EXPECT_EQ(hear(2), Seen::replayed);
    EXPECT_TRUE(guard_.known().empty());
}

}  // namespace
}  // namespace vpnha::lease
