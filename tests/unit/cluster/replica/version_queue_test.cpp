// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/version_queue.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vpnha::replica {
namespace version_queue_test {

wire::Version version(std::uint64_t sequence, std::uint64_t epoch = 1) {
    return {Epoch{epoch, NodeId{1}}, sequence};
}

TEST(VersionQueueTest, TheFirstIsTheLowest) {
    VersionQueue queue;
    EXPECT_EQ(queue.first(), std::nullopt);
    queue.insert(version(5));
    queue.insert(version(6));
    queue.insert(version(1, 2));
    EXPECT_EQ(queue.first(), version(5));
    queue.insert(version(3));
    EXPECT_EQ(queue.first(), version(3));
    queue.erase(version(3));
    queue.erase(version(6));
    queue.erase(version(5));
    EXPECT_EQ(queue.first(), version(1, 2));
    queue.erase(version(1, 2));
    EXPECT_TRUE(queue.empty());
}

TEST(VersionQueueTest, WhatIsErasedOutOfOrderMayComeAgain) {
    VersionQueue queue;
    queue.insert(version(1));
    queue.insert(version(2));
    queue.insert(version(3));
    queue.erase(version(2));
    EXPECT_EQ(queue.size(), 2U);
    queue.insert(version(2));
    queue.insert(version(2));
    EXPECT_EQ(queue.size(), 3U);
    queue.erase(version(1));
    EXPECT_EQ(queue.first(), version(2));
}

// Whatever happens, it holds what a set would.
TEST(VersionQueueTest, HoldsWhatASetHolds) {
    std::mt19937 random(1);
    const auto below = [&random](std::uint64_t bound) { return random() % bound; };
    for (int run = 0; run < 5; ++run) {
        VersionQueue queue;
        std::set<wire::Version> set;
        std::uint64_t next = 1;
        const std::uint64_t depth = 1 + below(5'000);
        for (int step = 0; step < 20'000; ++step) {
            const bool in_order = below(10) != 0;
            const auto one = version(in_order ? next++ : 1 + below(next));
            queue.insert(one);
            set.insert(one);
            while (set.size() > depth) {
                const auto left = below(10) != 0 ? *set.begin() : version(1 + below(next));
                queue.erase(left);
                set.erase(left);
            }
            ASSERT_EQ(queue.size(), set.size());
            ASSERT_EQ(queue.first(), *set.begin());
        }
        queue.clear();
        EXPECT_TRUE(queue.empty());
        EXPECT_EQ(queue.first(), std::nullopt);
    }
}

TEST(VersionQueueTest, KeepsNothingOfWhatHasGoneBehindOneThatStays) {
    VersionQueue queue;
    queue.insert(version(1));
    for (std::uint64_t sequence = 2; sequence < 100'000; ++sequence) {
        queue.insert(version(sequence));
        queue.erase(version(sequence));
    }
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_EQ(queue.first(), version(1));
    queue.erase(version(1));
    EXPECT_TRUE(queue.empty());
    queue.insert(version(2));
    EXPECT_EQ(queue.first(), version(2));
}

}  // namespace version_queue_test
}  // namespace vpnha::replica
