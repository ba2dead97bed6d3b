// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/values.hpp"

#include <gtest/gtest.h>

namespace vpnha::config {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, TakesAnIntegerAndItsUnit) {
    EXPECT_EQ(parse_duration("0ms"), milliseconds(0));
    EXPECT_EQ(parse_duration("50ms"), milliseconds(50));
    EXPECT_EQ(parse_duration("60s"), milliseconds(60'000));
    EXPECT_EQ(parse_duration("2m"), milliseconds(120'000));
    EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
    for (const char* bad :
         {"", "5", "ms", "-1s", "1.5s", "1 s", "+1s", " 1s", "1s ", "1d", "99999999999h"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
}

TEST(DurationTest, IsPrintedAsItIsRead) {
    for (const char* text : {"0ms", "50ms", "1500ms", "60s", "1h", "90s"}) {
        EXPECT_EQ(to_text(parse_duration(text).value_or(milliseconds(-1))), text);
    }
}

TEST(NetTest, KnowsItsBounds) {
    const Ipv4Prefix net{Ipv4Address{0x0a010203}, 22};
    EXPECT_EQ(to_string(network_of(net)), "10.1.0.0");
    EXPECT_EQ(to_string(broadcast_of(net)), "10.1.3.255");
    EXPECT_TRUE(contains(net, Ipv4Address{0x0a0103ff}));
    EXPECT_FALSE(contains(net, Ipv4Address{0x0a010400}));
    EXPECT_TRUE(contains(Ipv4Prefix{Ipv4Address{}, 0}, Ipv4Address{0xffffffff}));
}

TEST(NetTest, OverlapsInBothDirections) {
    const Ipv4Prefix wide{Ipv4Address{0x0a000000}, 8};
    const Ipv4Prefix narrow{Ipv4Address{0x0a010000}, 16};
    EXPECT_TRUE(overlap(wide, narrow));
    EXPECT_TRUE(overlap(narrow, wide));
    EXPECT_FALSE(overlap(narrow, Ipv4Prefix{Ipv4Address{0x0a020000}, 16}));
}

TEST(NearestTest, GuessesATypoAndNothingElse) {
    const std::vector<std::string> words = {"addresses", "interface", "id"};
    EXPECT_EQ(nearest("adresses", words), "addresses");
    EXPECT_EQ(nearest("addreses", words), "addresses");
    EXPECT_EQ(nearest("intreface", words), "interface");
    EXPECT_EQ(nearest("idd", words), "id");
    EXPECT_EQ(nearest("pool", words), std::nullopt);
    EXPECT_EQ(nearest("", words), std::nullopt);
}

}  // namespace
}  // namespace vpnha::config
