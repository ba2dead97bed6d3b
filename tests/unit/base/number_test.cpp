// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/number.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace vpnha {
namespace {

TEST(NumberTest, TheWholeTextIsTheNumber) {
    EXPECT_EQ(parse_whole<std::uint16_t>("65535"), 65'535);
    EXPECT_EQ(parse_whole<std::uint32_t>("Ff", 16), 255U);
    EXPECT_EQ(parse_whole<int>("-7"), -7);
}

TEST(NumberTest, NothingElseIsTaken) {
    for (const char* text : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "65536"}) {
        EXPECT_FALSE(parse_whole<std::uint16_t>(text)) << "'" << text << "'";
    }
}

}  // namespace
}  // namespace vpnha
