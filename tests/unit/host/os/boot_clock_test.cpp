// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/boot_clock.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace boot_clock_test {

class BootClockTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove(path_); }

    Result<void> refused(const char* offsets) {
        std::ofstream(path_) << offsets;
        return refuse_shifted_clock(path_);
    }

    std::string path_ = temporary_path("timens_offsets");
};

TEST_F(BootClockTest, ATimeNamespaceWithAnOffsetOfBoottimeIsRefused) {
    for (const char* offsets :
         {"monotonic           0         0\nboottime         3600         0\n",
          "monotonic           0         0\nboottime            0         1\n",
          "1           0         0\n7           -1         0\n"}) {
        const Result<void> result = refused(offsets);
        ASSERT_FALSE(result) << offsets;
        EXPECT_EQ(result.error().code, Errc::unsupported);
        EXPECT_NE(result.error().detail.find("time namespace"), std::string::npos);
    }
}

TEST_F(BootClockTest, OtherClocksAndOlderKernelsDoNotMatter) {
    EXPECT_TRUE(refused("monotonic        3600         0\nboottime            0         0\n"));
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refuse_shifted_clock("/nonexistent/timens_offsets"));
    EXPECT_TRUE(refuse_shifted_clock()) << "this machine's own";
}

}  // namespace boot_clock_test
}  // namespace vpnha::adapters
