// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/event_log.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace vpnha::witness {
namespace event_log_test {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST(EventLogTest, ALineHasTheTimeTheLevelAndTheText) {
    testing::internal::CaptureStderr();
    {
        auto log = EventLog::open({});
        ASSERT_TRUE(log);
        (*log)->write(Level::warning, "node 2 has sent nothing event=node-lost node=2", {});
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                ContainsRegex("^20[0-9-]+T[0-9:.]+Z vpnha-witness\\[[0-9]+\\]: warning: node 2 has "
                              "sent nothing event=node-lost node=2\n$"));
}

TEST(EventLogTest, AFloodIsCutAndTheLinesThatAreLeftOutAreCounted) {
    testing::internal::CaptureStderr();
    {
        auto log = EventLog::open({});
        ASSERT_TRUE(log);
        for (std::uint64_t i = 0; i < EventLog::kLinesAtOnce + 50; ++i) {
            (*log)->write(Level::info, "again", {});
        }
        // A line a second from then on.
        const TimePoint later{std::chrono::seconds(2)};
        for (int i = 0; i < 10; ++i) {
            (*log)->write(Level::info, "late", later);
        }
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_THAT(text, HasSubstr("event=log-dropped count=50"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), EventLog::kLinesAtOnce + 1 + 2);
}

}  // namespace event_log_test
}  // namespace vpnha::witness
