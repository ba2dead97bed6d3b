// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ip_prefix.hpp"

#include <gtest/gtest.h>

namespace vpnha::adapters {
namespace {

std::string again(std::string_view text) {
    const auto prefix = parse_ip_prefix(text);
    return prefix ? to_string(*prefix) : prefix.error().detail;
}

TEST(IpPrefixTest, ReadsBothFamilies) {
    EXPECT_EQ(again("192.0.2.9/24"), "192.0.2.9/24");
    EXPECT_EQ(again("2001:db8:0::9/64"), "2001:db8::9/64");
    EXPECT_EQ(again("0.0.0.0/0"), "0.0.0.0/0");
}

TEST(IpPrefixTest, RefusesWhatIsNone) {
    for (const char* text : {"", "/", "192.0.2.9", "192.0.2.9/", "192.0.2.9/33", "192.0.2/24",
                             "192.0.2.9/-1", "192.0.2.9/24 ", "2001:db8::9/129", "::g/64"}) {
        EXPECT_FALSE(parse_ip_prefix(text)) << text;
    }
}

TEST(IpPrefixTest, NetworkHasNoBitsBehindThePrefix) {
    EXPECT_EQ(to_string(parse_ip_prefix("192.0.2.255/26")->network()), "192.0.2.192/26");
    EXPECT_EQ(to_string(parse_ip_prefix("2001:db8::ffff/121")->network()), "2001:db8::ff80/121");
    EXPECT_EQ(to_string(parse_ip_prefix("192.0.2.9/32")->network()), "192.0.2.9/32");
}

}  // namespace
}  // namespace vpnha::adapters
