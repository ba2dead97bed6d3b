// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/readings.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::node {
namespace readings_test {

using lease::Checkpoint;

const Epoch kFirst{1, NodeId{1}};
const Epoch kSecond{2, NodeId{1}};

TimePoint at(int ms) {
    return TimePoint(std::chrono::milliseconds(ms));
}

TEST(ReadingsTest, AReadingCountsWhenAllOfItIsConfirmed) {
    Readings readings;
    readings.add(kFirst, 5, at(10));
    EXPECT_EQ(readings.confirm(kFirst, 4), std::nullopt);
    EXPECT_EQ(readings.confirm(kFirst, 5), (Checkpoint{kFirst, 5, at(10)}));
    EXPECT_EQ(readings.confirm(kFirst, 6), std::nullopt) << "nothing new";
}

TEST(ReadingsTest, TheNewestOfThoseThatAreConfirmedCounts) {
    Readings readings;
    readings.add(kFirst, 5, at(10));
    readings.add(kFirst, 5, at(20));  // Nothing had changed.
    readings.add(kFirst, 9, at(30));
    EXPECT_EQ(readings.confirm(kFirst, 8), (Checkpoint{kFirst, 5, at(20)}));
}

TEST(ReadingsTest, AReadingOfAnEpochThatIsOverIsNeverConfirmed) {
    Readings readings;
    readings.add(kFirst, 5, at(10));
    EXPECT_EQ(readings.confirm(kSecond, 9), std::nullopt);
    readings.add(kSecond, 2, at(20));
    EXPECT_EQ(readings.confirm(kFirst, 9), std::nullopt);
    EXPECT_EQ(readings.confirm(kSecond, 9), (Checkpoint{kSecond, 2, at(20)}));
}

TEST(ReadingsTest, WhatStandbysDoNotConfirmIsBounded) {
    Readings readings;
    for (int i = 1; i <= 1000; ++i) {
        readings.add(kFirst, static_cast<std::uint64_t>(i), at(i));
    }
    const int kept = static_cast<int>(limits::kReadingsMax);
    EXPECT_EQ(readings.confirm(kFirst, 500),
              (Checkpoint{kFirst, static_cast<std::uint64_t>(kept) - 1, at(kept - 1)}));
    EXPECT_EQ(readings.confirm(kFirst, 1000), (Checkpoint{kFirst, 1000, at(1000)}));
}

}  // namespace readings_test
}  // namespace vpnha::node
