// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace vpnha {
namespace result_test {

Result<int> half(int value) {
    if (value % 2 != 0) {
        return fail(Errc::invalid_argument, "odd");
    }
    return value / 2;
}

Result<int> quarter(int value) {
    VPNHA_TRY(const int first, half(value));
    VPNHA_TRY(const int second, half(first));
    return second;
}

TEST(ResultTest, TryReturnsTheFirstError) {
    EXPECT_EQ(quarter(8).value_or(-1), 2);
    const Result<int> failed = quarter(6);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, Errc::invalid_argument);
    EXPECT_EQ(failed.error().detail, "odd");
}

TEST(ResultTest, SystemErrorNamesTheCallAndTheReason) {
    EXPECT_EQ(system_error("open /dev/ppp", ENOENT).detail,
              "open /dev/ppp: No such file or directory");
    EXPECT_EQ(to_string(Errc::stale_epoch), "stale_epoch");
}

}  // namespace result_test
}  // namespace vpnha
