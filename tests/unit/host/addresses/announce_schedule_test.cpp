// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/announce_schedule.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace vpnha::adapters {
namespace announce_schedule_test {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr TimePoint kStart{};

TimePoint at(milliseconds time) {
    return TimePoint{} + time;
}

// The bursts up to `until`, each sent when it is due, in milliseconds.
std::vector<int> run(AnnounceSchedule& schedule, milliseconds from, milliseconds until) {
    std::vector<int> sent;
    for (milliseconds now = from; now <= until; now += 10ms) {
        const auto due = schedule.due();
        if (due && *due <= at(now)) {
            schedule.on_sent(at(now));
            sent.push_back(static_cast<int>(now.count()));
        }
    }
    return sent;
}

TEST(AnnounceScheduleTest, IsQuietUntilItIsStarted) {
    EXPECT_FALSE(AnnounceSchedule().due());
}

TEST(AnnounceScheduleTest, AnnouncesFiveTimes) {
    AnnounceSchedule schedule;
    schedule.restart(kStart);
    EXPECT_THAT(run(schedule, 0ms, 60s), ElementsAre(0, 100, 1000, 3000, 10000));
    EXPECT_FALSE(schedule.due());
}

TEST(AnnounceScheduleTest, StartsAnewWhenTheLinkIsBack) {
    AnnounceSchedule schedule;
    schedule.restart(kStart);
    EXPECT_THAT(run(schedule, 0ms, 2s), ElementsAre(0, 100, 1000));
    schedule.pause();
    EXPECT_THAT(run(schedule, 2s, 20s), ElementsAre());
    schedule.restart(at(20s));
    EXPECT_THAT(run(schedule, 20s, 60s), ElementsAre(20000, 20100, 21000, 23000, 30000));
}

TEST(AnnounceScheduleTest, AFlappingLinkMakesThreeBurstsASecond) {
    AnnounceSchedule schedule;
    std::vector<int> sent;
    for (milliseconds now = 0ms; now < 10s; now += 10ms) {
        schedule.pause();
        schedule.restart(at(now));
        for (const int each : run(schedule, now, now)) {
            sent.push_back(each);
        }
    }
    EXPECT_EQ(sent.size(), 30U);
    for (std::size_t i = AnnounceSchedule::kBurstsPerSecondMax; i < sent.size(); ++i) {
        EXPECT_GE(sent[i] - sent[i - AnnounceSchedule::kBurstsPerSecondMax], 1000);
    }
}

}  // namespace announce_schedule_test
}  // namespace vpnha::adapters
