// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ip.hpp"

#include <gtest/gtest.h>

namespace vpnha {
namespace ip_test {

IpPrefix net(std::string_view text) {
    const Result<IpPrefix> prefix = parse_ip_prefix(text);
    EXPECT_TRUE(prefix.has_value()) << text;
    return prefix.value_or(IpPrefix{});
}
IpAddress ip(std::string_view text) {
    const Result<IpAddress> address = parse_ip(text);
    EXPECT_TRUE(address.has_value()) << text;
    return address.value_or(IpAddress{});
}

TEST(IpTest, PrintsAndParsesTheSameText) {
    for (const char* text : {"192.0.2.100", "0.0.0.0", "::", "::1", "1::", "2001:db8::1",
                             "2001:db8:0:1::", "2001:db8:1:2:3:4:5:6", "2001:0:0:1::2",
                             "fe80::1:0:0:1", "1:0:2:0:3:0:4:0"}) {
        EXPECT_EQ(to_string(ip(text)), text);
    }
}

TEST(IpTest, PrintsTheShortestForm) {
    EXPECT_EQ(to_string(ip("2001:0db8:0000:0000:0000:0000:0000:0001")), "2001:db8::1");
    EXPECT_EQ(to_string(ip("2001:DB8::0:1")), "2001:db8::1");
    EXPECT_EQ(to_string(ip("1:2:3:4:5:6:7::")), "1:2:3:4:5:6:7:0") << "one group needs no ::";
    EXPECT_EQ(to_string(ip("1:0:0:2:0:0:0:3")), "1:0:0:2::3") << "the longest run";
    EXPECT_EQ(to_string(ip("1:0:0:2:0:0:3:4")), "1::2:0:0:3:4") << "the first of equals";
}

TEST(IpTest, RefusesWhatIsNoAddress) {
    for (const char* text :
         {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
          "12345::", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7:8", "g::1", "::1%eth0", "1:2:3:4::5:6:7:8",
          "::192.0.2.1", "-1::", "0x1::", " ::1", "::ffff:c000:201", "1.2.3"}) {
        EXPECT_FALSE(parse_ip(text).has_value()) << text;
    }
}

TEST(IpTest, KnowsItsFamily) {
    EXPECT_EQ(ip("192.0.2.100").v4(), Ipv4Address{0xc0000264});
    EXPECT_EQ(ip("192.0.2.100").v6(), std::nullopt);
    EXPECT_EQ(ip("::c000:264").v4(), std::nullopt);
    EXPECT_EQ(to_hex(ip("192.0.2.100").octets()), "c0000264");
    EXPECT_EQ(to_hex(ip("2001:db8::1").octets()), "20010db8000000000000000000000001");
    EXPECT_EQ(to_string(host_prefix(ip("192.0.2.100"))), "192.0.2.100/32");
    EXPECT_EQ(to_string(host_prefix(ip("::1"))), "::1/128");
}

TEST(IpTest, ReadsOctetsOfEitherFamilyOnly) {
    for (const char* text : {"192.0.2.100", "0.0.0.0", "2001:db8::1", "::"}) {
        EXPECT_EQ(ip_address_of(ip(text).octets()), ip(text));
    }
    const Bytes octets(20, 1);
    for (const std::size_t size : {0, 3, 5, 15, 17}) {
        EXPECT_EQ(ip_address_of(ByteView(octets).first(size)), std::nullopt) << size;
    }
    const std::array<std::uint8_t, 16> mapped = {0, 0, 0,    0,    0,    0, 0, 0,
                                                 0, 0, 0xff, 0xff, 0xc0, 0, 2, 100};
    EXPECT_EQ(ip_address_of(mapped), std::nullopt);
}

TEST(IpTest, PrefixNeedsALengthOfItsFamily) {
    EXPECT_EQ(to_string(net("192.0.2.100/24")), "192.0.2.100/24");
    EXPECT_EQ(to_string(net("2001:db8::1/64")), "2001:db8::1/64");
    EXPECT_EQ(net("::/0").length, 0);
    for (const char* text : {"192.0.2.1", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/024", "::1",
                             "::1/129", "::1/256", "::1/-1", "::1/", "/64", "::1/64/64"}) {
        EXPECT_FALSE(parse_ip_prefix(text).has_value()) << text;
    }
}

TEST(IpTest, NetKnowsItsBounds) {
    EXPECT_EQ(to_string(ip("10.1.2.3").masked(22)), "10.1.0.0");
    EXPECT_EQ(to_string(ip("10.1.2.3").masked(22, true)), "10.1.3.255");
    EXPECT_EQ(to_string(ip("2001:db8:1:2ff::1").masked(57)), "2001:db8:1:280::");
    EXPECT_EQ(ip("2001:db8::1").masked(128), ip("2001:db8::1"));
    EXPECT_EQ(to_string(ip("192.0.2.1").masked(0)), "0.0.0.0");
    EXPECT_TRUE(contains(net("10.1.0.0/22"), ip("10.1.3.255")));
    EXPECT_FALSE(contains(net("10.1.0.0/22"), ip("10.1.4.0")));
    EXPECT_TRUE(contains(net("2001:db8::/32"), ip("2001:db8:ffff::1")));
    EXPECT_FALSE(contains(net("2001:db8::/32"), ip("2001:db9::")));
}

TEST(IpTest, NoNetHoldsTheOtherFamily) {
    EXPECT_FALSE(contains(net("::/0"), ip("192.0.2.1")));
    EXPECT_FALSE(contains(net("0.0.0.0/0"), ip("2001:db8::1")));
    EXPECT_FALSE(overlap(net("::/0"), net("0.0.0.0/0")));
}

TEST(IpTest, NetsOverlapInBothDirections) {
    EXPECT_TRUE(overlap(net("10.0.0.0/8"), net("10.1.0.0/16")));
    EXPECT_TRUE(overlap(net("10.1.0.0/16"), net("10.0.0.0/8")));
    EXPECT_FALSE(overlap(net("10.1.0.0/16"), net("10.2.0.0/16")));
    EXPECT_TRUE(overlap(net("2001:db8::/48"), net("2001:db8:0:1::/64")));
    EXPECT_FALSE(overlap(net("2001:db8:1::/48"), net("2001:db8:2::/48")));
}

}  // namespace ip_test
}  // namespace vpnha
