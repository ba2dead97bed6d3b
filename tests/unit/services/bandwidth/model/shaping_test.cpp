// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/model/shaping.hpp"

#include <gtest/gtest.h>

namespace vpnha::bandwidth {
namespace shaping_test {

TEST(ShapingTest, ABucketHoldsSoLongOfItsRate) {
    const Shaping shaping = shaping_of({20'000'000, 4'000'000}, 1400);
    EXPECT_EQ(shaping.down, (Shaping::Bucket{2'500'000, 125'000}));
    EXPECT_EQ(shaping.up, (Shaping::Bucket{500'000, 250'000}));
    EXPECT_EQ(shaping.target_us, 5'000U);
    EXPECT_EQ(shaping.interval_us, 100'000U);
}

// A packet that is longer than the bucket would never pass.
TEST(ShapingTest, OfASlowLinkItHoldsAFewPackets) {
    const Shaping shaping = shaping_of({64'000, 64'000}, 1500);
    EXPECT_EQ(shaping.down, (Shaping::Bucket{8'000, 3'000}));
    EXPECT_EQ(shaping.up, (Shaping::Bucket{8'000, 12'000}));
    EXPECT_EQ(shaping.target_us, 281'250U) << "one packet takes 187.5 ms";
    EXPECT_EQ(shaping.interval_us, 376'250U);
}

TEST(ShapingTest, WithoutALimitDownTheQueuesAreThereAllTheSame) {
    const Shaping shaping = shaping_of({0, 1'000'000}, 1500);
    EXPECT_EQ(shaping.down.octets_per_s, 1'250'000'000U);
    EXPECT_TRUE(shaping.up.has_value());
    EXPECT_FALSE(shaping_of({1'000'000, 0}, 1500).up.has_value());
}

TEST(ShapingTest, TheKernelsNumbersTakeTheLargestAndTheSmallest) {
    const Shaping largest = shaping_of({kRateMax, kRateMax}, 16'384);
    EXPECT_EQ(largest.down, (Shaping::Bucket{1'250'000'000, 62'500'000}));
    EXPECT_EQ(largest.up, (Shaping::Bucket{1'250'000'000, 625'000'000}));
    // 131 s in units of 64 ns have 32 bits.
    const Shaping smallest = shaping_of({kRateMin, kRateMin}, 16'384);
    EXPECT_EQ(smallest.up, (Shaping::Bucket{1'000, 131'072}));
    EXPECT_LT(std::uint64_t{smallest.up->burst} * 1'000'000'000 / smallest.up->octets_per_s / 64,
              std::uint64_t{1} << 32);
}

}  // namespace shaping_test
}  // namespace vpnha::bandwidth
