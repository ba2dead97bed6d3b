// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/clock_rate.hpp"

#include <gmock/gmock.h>

#include "lease/timing.hpp"

namespace vpnha::runtime {
namespace clock_rate_test {

using ::testing::HasSubstr;

TEST(ClockRateTest, WithoutChronyThereIsNothingToSay) {
    const Result<std::string> checked = check_clock_rate(std::nullopt);
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(*checked, "");
}

TEST(ClockRateTest, TheLeaseBearsTheDefault) {
    const Result<std::string> checked = check_clock_rate(adapters::SlewLimit{});
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(*checked, "chrony slews it by 83334 ppm at most; the lease bears 90909 ppm");
}

TEST(ClockRateTest, TheLimitIsTheLargestWithinTheRateBoundOfTheLease) {
    EXPECT_LE(lease::rate_permille_for(90'909), lease::Timing{}.rate_permille);
    EXPECT_GT(lease::rate_permille_for(90'910), lease::Timing{}.rate_permille);
}

TEST(ClockRateTest, MoreThanTheLeaseBearsIsAnErrorThatSaysWhatToSetWhere) {
    EXPECT_TRUE(check_clock_rate(adapters::SlewLimit{90'909, "f:1"}).has_value());
    const Result<std::string> checked = check_clock_rate(adapters::SlewLimit{90'909.5, "f:7"});
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, Errc::invalid_config);
    EXPECT_THAT(checked.error().detail, HasSubstr("f:7: "));
    EXPECT_THAT(checked.error().detail, HasSubstr("90910 ppm"));
    EXPECT_THAT(checked.error().detail, HasSubstr("set maxslewrate 83333"));
}

}  // namespace clock_rate_test
}  // namespace vpnha::runtime
