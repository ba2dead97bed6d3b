// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/watch/round_lateness.hpp"

#include <gmock/gmock.h>

namespace vpnha::node {
namespace round_lateness_test {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr TimePoint kNow{hours(100)};

TEST(RoundLatenessTest, ARoundCountsBelowItsBound) {
    RoundLateness lateness;
    for (const Duration late : {Duration{}, Duration(milliseconds(1)), Duration(microseconds(1001)),
                                Duration(milliseconds(500)), Duration(milliseconds(501))}) {
        lateness.note(late, kNow);
    }
    EXPECT_THAT(lateness.counts(), ElementsAre(2, 1, 0, 0, 0, 0, 0, 0, 1, 1));
    EXPECT_EQ(lateness.sum(), Duration(microseconds(1'003'001)));
}

TEST(RoundLatenessTest, TheWorstIsOfADay) {
    RoundLateness lateness;
    EXPECT_EQ(lateness.worst_of_day(kNow), Duration{});
    lateness.note(milliseconds(90), kNow);
    lateness.note(milliseconds(3), kNow + hours(1));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(23)), Duration(milliseconds(90)));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(24)), Duration(milliseconds(3)));
    lateness.note(milliseconds(1), kNow + hours(24));
    EXPECT_EQ(lateness.worst_of_day(kNow + hours(26)), Duration(milliseconds(1)));
}

TEST(RoundLatenessTest, AWarningIsGivenOnceAnHour) {
    RoundLateness lateness;
    lateness.note(milliseconds(100), kNow);
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow));
    lateness.note(milliseconds(101), kNow);
    EXPECT_TRUE(lateness.warns(milliseconds(100), kNow));
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow + hours(2))) << "nothing new";
    lateness.note(milliseconds(101), kNow + hours(2));
    EXPECT_TRUE(lateness.warns(milliseconds(100), kNow + hours(2)));
    lateness.note(milliseconds(300), kNow + hours(2));
    EXPECT_FALSE(lateness.warns(milliseconds(100), kNow + hours(2)));
}

}  // namespace round_lateness_test
}  // namespace vpnha::node
