// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/burst.hpp"

#include <gtest/gtest.h>

namespace vpnha {
namespace burst_test {

using namespace std::chrono_literals;

int taken(Burst& burst, TimePoint now, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) {
        count += burst.take(now) ? 1 : 0;
    }
    return count;
}

TEST(BurstTest, AllowsSoManyAtOnceAndThenOneInEachInterval) {
    Burst burst(3, 1s);
    const TimePoint start{100h};
    EXPECT_EQ(taken(burst, start, 10), 3);
    EXPECT_EQ(taken(burst, start + 999ms, 10), 0);
    EXPECT_EQ(taken(burst, start + 1s, 10), 1);
    EXPECT_EQ(taken(burst, start + 2s, 10), 1);
}

TEST(BurstTest, IsWholeAgainAfterAPause) {
    Burst burst(3, 1s);
    const TimePoint start{100h};
    EXPECT_EQ(taken(burst, start, 10), 3);
    EXPECT_EQ(taken(burst, start + 3s, 10), 3);
    EXPECT_EQ(taken(burst, start + 1h, 10), 3) << "and not more after a longer one";
}

}  // namespace burst_test
}  // namespace vpnha
