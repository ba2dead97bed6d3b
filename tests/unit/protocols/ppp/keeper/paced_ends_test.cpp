// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/paced_ends.hpp"

#include <gtest/gtest.h>

namespace vpnha::keepers {
namespace paced_ends_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

TEST(PacedEndsTest, TakesEachOnceAtThePace) {
    PacedEnds<int> ends(100);
    EXPECT_FALSE(ends.next_deadline().has_value());
    EXPECT_FALSE(ends.take(kStart).has_value());
    ends.add(2);
    ends.add(1);
    EXPECT_EQ(ends.take(kStart), 1);
    EXPECT_EQ(ends.next_deadline(), kStart + milliseconds(10));
    EXPECT_FALSE(ends.take(kStart + milliseconds(9)).has_value());
    EXPECT_EQ(ends.take(kStart + milliseconds(10)), 2);
    EXPECT_FALSE(ends.next_deadline().has_value());
}

TEST(PacedEndsTest, WhatHasEndedOtherwiseIsLeftOut) {
    PacedEnds<int> ends(100);
    ends.add(1);
    ends.add(2);
    ends.erase(1);
    EXPECT_EQ(ends.take(kStart), 2);
    ends.add(3);
    ends.clear();
    EXPECT_FALSE(ends.take(kStart + seconds(1)).has_value());
}

TEST(PacedEndsTest, AllCanBeTakenBack) {
    PacedEnds<int> ends(100);
    ends.add(1);
    ends.add(2);
    EXPECT_EQ(ends.take_all(), (std::set<int>{1, 2}));
    EXPECT_FALSE(ends.next_deadline().has_value());
}

}  // namespace paced_ends_test
}  // namespace vpnha::keepers
