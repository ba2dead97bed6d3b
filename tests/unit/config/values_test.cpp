// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/values.hpp"

#include <gtest/gtest.h>

namespace vpnha::config {
namespace values_test {

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

bool has_unicast(std::string_view text) {
    return is_unicast(parse_ip(text).value_or(IpAddress{}));
}
bool is_net(std::string_view text) {
    return is_of_the_net(parse_ip_prefix(text).value_or(IpPrefix{}));
}

TEST(AddressTest, UnicastIsWhatAHostMayHaveOnAnyLink) {
    for (const char* text : {"10.0.0.1", "192.0.2.1", "223.255.255.255", "2001:db8::1", "fd00::1",
                             "64:ff9b::1", "ff::1"}) {
        EXPECT_TRUE(has_unicast(text)) << text;
    }
    for (const char* text : {"0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                             "ff02::1", "fe80::1", "febf::1"}) {
        EXPECT_FALSE(has_unicast(text)) << text;
    }
}

TEST(AddressTest, ANetsOwnAddressIsNoHosts) {
    for (const char* text :
         {"192.0.2.0/24", "192.0.2.255/24", "192.0.2.0/30", "2001:db8::/64", "2001:db8::4/126"}) {
        EXPECT_TRUE(is_net(text)) << text;
    }
    for (const char* text :
         {"192.0.2.1/24", "192.0.2.0/31", "192.0.2.0/32", "2001:db8::1/64",
          "2001:db8::ffff:ffff:ffff:ffff/64", "2001:db8::/127", "2001:db8::/128"}) {
        EXPECT_FALSE(is_net(text)) << text;
    }
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

}  // namespace values_test
}  // namespace vpnha::config
