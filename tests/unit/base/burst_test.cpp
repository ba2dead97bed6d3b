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

TEST(BurstTest, ReportsWhenTheNextOneIsAllowed) {
    Burst burst(2, 1s);
    const TimePoint start{100h};
    EXPECT_LE(burst.next(), start);
    EXPECT_EQ(taken(burst, start, 10), 2);
    EXPECT_EQ(burst.next(), start + 1s);
    EXPECT_FALSE(burst.take(burst.next() - 1ns));
    EXPECT_TRUE(burst.take(burst.next()));
}

TEST(BurstTest, ManyAreSpentAtOnce) {
    Burst burst(100, 1s);
    const TimePoint start{100h};
    EXPECT_EQ(burst.left(start), 100);
    burst.spend(100, start);
    EXPECT_EQ(burst.left(start), 0);
    EXPECT_EQ(burst.left(start + 1s - 1ns), 0);
    EXPECT_EQ(burst.left(start + 1s), 1);
    EXPECT_TRUE(burst.take(start + 1s));
    EXPECT_EQ(burst.left(start + 41s), 40);
    EXPECT_EQ(burst.left(start + 1h), 100);
}

TEST(BurstTest, CountsPerSecond) {
    Burst burst = Burst::per_second(4);
    const TimePoint start{100h};
    int count = 0;
    for (Duration time{}; time < 1s; time += 1ms) {
        count += burst.take(start + time) ? 1 : 0;
    }
    EXPECT_EQ(count, 4);
}

}  // namespace burst_test
}  // namespace vpnha
