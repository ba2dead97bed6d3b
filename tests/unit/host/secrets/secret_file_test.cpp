// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace secret_file_test {

TEST(SecretFileTest, HoldsTheWholeContent) {
    const std::string path = temporary_path("secrets");
    for (const std::string& text :
         {std::string(), std::string("one\n"), std::string(20'000, 'x')}) {
        std::ofstream(path) << text;
        const auto file = SecretFile::read(path);
        ASSERT_TRUE(file) << file.error().detail;
        ASSERT_TRUE(file->has_value());
        EXPECT_EQ((*file)->content(), text);
    }
    ::unlink(path.c_str());
}

TEST(SecretFileTest, AnAbsentFileIsNoError) {
    const auto file = SecretFile::read("/nonexistent/secrets");
    ASSERT_TRUE(file);
    EXPECT_FALSE(file->has_value());
}

TEST(SecretFileTest, WhatIsNoFileOrTooLargeIsRefused) {
    EXPECT_FALSE(SecretFile::read("/dev/zero"));
    const std::string path = temporary_path("large");
    std::ofstream(path) << "x";
    ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 30), 0);
    const auto file = SecretFile::read(path);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::limit);
    ::unlink(path.c_str());
}

}  // namespace secret_file_test
}  // namespace vpnha::adapters
