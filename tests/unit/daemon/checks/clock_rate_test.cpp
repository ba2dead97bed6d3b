// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/clock_rate.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "cluster/lease/timing.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace clock_rate_test {

using ::testing::HasSubstr;

class ClockRateTest : public ::testing::Test {
  protected:
    Result<std::string> check(const std::string& chrony_conf,
                              std::int64_t rate_ppm = lease::Timing{}.rate_ppm) {
        std::ofstream(path_) << chrony_conf;
        return check_clock_rate(rate_ppm, path_);
    }

    void TearDown() override { std::filesystem::remove(path_); }

    std::string path_ = temporary_path("chrony.conf");
};

TEST_F(ClockRateTest, WithoutChronyThereIsNothingToReport) {
    const Result<std::string> checked = check_clock_rate(10'000, path_);
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(*checked, "");
}

TEST_F(ClockRateTest, ChronysDefaultIsRefusedAndTheErrorHasBothWaysOut) {
    const Result<std::string> checked = check("rtcsync\n");
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, Errc::invalid_config);
    EXPECT_EQ(checked.error().detail,
              path_ +
                  ": chrony may slew the clock by 83334 ppm, its default, and a lease with "
                  "'clock_rate_ppm = 10000' holds against 4975 ppm: append the line 'maxslewrate "
                  "4975' to it on every node and restart chrony, or set 'clock_rate_ppm = 181820' "
                  "in [lease] of vpnha.toml on every node, which makes a takeover slower");
}

TEST_F(ClockRateTest, BothWaysOutArePassable) {
    const Result<std::string> slower = check("rtcsync\nmaxslewrate 4975\n");
    ASSERT_TRUE(slower.has_value()) << slower.error().detail;
    EXPECT_EQ(*slower, "chrony slews it by 4975 ppm at most; the lease holds against 4975 ppm");
    EXPECT_TRUE(check("rtcsync\n", 181'820).has_value());
    EXPECT_FALSE(check("rtcsync\n", 181'819).has_value());
}

TEST_F(ClockRateTest, TheLineThatAllowsTooMuchIsNamed) {
    const Result<std::string> checked = check("rtcsync\nmaxslewrate 4975.5\n");
    ASSERT_FALSE(checked.has_value());
    EXPECT_THAT(checked.error().detail, HasSubstr(path_ + ":2: "));
    EXPECT_THAT(checked.error().detail, HasSubstr("by 4976 ppm, and"));
    EXPECT_THAT(checked.error().detail, HasSubstr("write 'maxslewrate 4975' there on every node"));
}

TEST_F(ClockRateTest, TheLimitIsTheLargestWithinTheRateBoundOfTheLease) {
    EXPECT_LE(lease::rate_ppm_for(4975), lease::Timing{}.rate_ppm);
    EXPECT_GT(lease::rate_ppm_for(4976), lease::Timing{}.rate_ppm);
}

}  // namespace clock_rate_test
}  // namespace vpnha::runtime
