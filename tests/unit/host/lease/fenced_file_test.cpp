// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/fenced_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace fenced_file_test {

struct FencedFileTest : ::testing::Test {
    FencedFileTest() { std::filesystem::create_directories(directory); }
    ~FencedFileTest() override { std::filesystem::remove_all(directory); }
    std::string directory = temporary_path("fenced");
    std::string socket = directory + "/control.sock";
};

TEST_F(FencedFileTest, ANodeIsFencedFromTheFileOnUntilItsNextBoot) {
    EXPECT_FALSE(is_fenced(socket));
    ASSERT_TRUE(write_fenced_file(socket).has_value());
    EXPECT_TRUE(is_fenced(socket));
    // Of another boot.
    std::ofstream(directory + "/fenced") << "6b1c0f7e-0000-0000-0000-000000000000\n";
    EXPECT_FALSE(is_fenced(socket));
    std::ofstream(directory + "/fenced") << "";
    EXPECT_FALSE(is_fenced(socket));
}

TEST_F(FencedFileTest, WhatCannotBeWrittenIsAnErrorThatNamesIt) {
    const auto written = write_fenced_file(directory + "/nowhere/control.sock");
    ASSERT_FALSE(written.has_value());
    EXPECT_NE(written.error().detail.find("nowhere/fenced"), std::string::npos);
}

}  // namespace fenced_file_test
}  // namespace vpnha::adapters
