// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/silence.hpp"

#include <gtest/gtest.h>

namespace vpnha::cli::drill {
namespace silence_test {

// Each 50 ms from 0 on, answered after 1 ms unless sent from `from` to before `until`.
std::vector<Probe> probes(int count, double from, double until) {
    std::vector<Probe> all;
    for (int i = 0; i < count; ++i) {
        const double sent = i * 50.0;
        const bool is_lost = sent >= from && sent < until;
        all.push_back({sent, is_lost ? std::nullopt : std::optional(sent + 1)});
    }
    return all;
}

TEST(SilenceTest, LastsFromTheFirstLostProbeToTheNextAnswer) {
    const Seen seen = reckon(probes(40, 1000, 1300), 990);
    EXPECT_EQ(seen.sent, 40U);
    EXPECT_EQ(seen.lost, 6U);
    EXPECT_EQ(seen.lost_before, 0U);
    ASSERT_TRUE(seen.longest);
    EXPECT_EQ(seen.longest->begin_ms, 1000);
    EXPECT_EQ(seen.longest->end_ms, 1301);
    EXPECT_TRUE(seen.longest->has_ended);
    EXPECT_EQ(seen.calm_ms, 1);
}

TEST(SilenceTest, WhatWasBeforeTheFaultIsKeptApart) {
    std::vector<Probe> all = probes(40, 200, 500);
    const Seen seen = reckon(all, 1000);
    EXPECT_EQ(seen.lost, 6U);
    EXPECT_EQ(seen.lost_before, 6U);
    EXPECT_EQ(seen.calm_ms, 301);
    EXPECT_EQ(seen.longest->length_ms(), 1);
    // Without a fault the longest of all is meant.
    EXPECT_EQ(reckon(all, std::nullopt).longest->length_ms(), 301);
}

TEST(SilenceTest, PacketsThatAreHeldAreASilenceAndNotLost) {
    std::vector<Probe> all = probes(20, 0, 0);
    for (std::size_t i = 10; i < 13; ++i) {
        all[i].answered_ms = 660;
    }
    const Seen seen = reckon(all, 450);
    EXPECT_EQ(seen.lost, 0U);
    EXPECT_EQ(seen.longest->begin_ms, 500);
    EXPECT_EQ(seen.longest->end_ms, 651);  // The probe of 650 came first.
}

TEST(SilenceTest, OneThatDoesNotEndIsNotTakenForAShortOne) {
    const Seen seen = reckon(probes(40, 1000, 5000), 990);
    ASSERT_TRUE(seen.longest);
    EXPECT_FALSE(seen.longest->has_ended);
    EXPECT_EQ(seen.longest->begin_ms, 1000);
    EXPECT_EQ(seen.longest->end_ms, 1950);
    EXPECT_EQ(seen.lost, 20U);
}

TEST(SilenceTest, NothingAskedIsNothingSeenAndNothingAnsweredIsSilence) {
    EXPECT_FALSE(reckon({}, std::nullopt).longest);
    const Seen seen = reckon(probes(10, 0, 5000), std::nullopt);
    EXPECT_EQ(seen.longest->length_ms(), 450);
    EXPECT_FALSE(seen.longest->has_ended);
}

}  // namespace silence_test
}  // namespace vpnha::cli::drill
