// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/neighbour.hpp"

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace neighbour_test {

using namespace std::chrono_literals;
using testing::Capture;
using testing::ip_command;
using testing::output_of;

constexpr MacAddress kMac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};

IpAddress address(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}
Ipv6Address address6(std::string_view text) {
    return address(text).v6().value_or(Ipv6Address{});
}

TEST(NeighbourFrameTest, AProbeAsksInTheNameOfNobody) {
    EXPECT_EQ(to_hex(encode_arp_probe(kMac, testing::ip("192.0.2.100"))),
              "ffffffffffff02005e1000010806"  // To all, ARP.
              "0001080006040001"              // Ethernet, IPv4, 6, 4, request.
              "02005e10000100000000"          // Sender: no address.
              "000000000000c0000264");        // Target.
}

TEST(NeighbourFrameTest, ASolicitationAsksInTheNameOfNobody) {
    EXPECT_EQ(to_hex(encode_solicitation(kMac, address6("2001:db8::12:3456"))),
              "3333ff12345602005e10000186dd"        // To the solicited-node group.
              "6000000000183aff"                    // 24 octets of ICMPv6, hop limit 255.
              "00000000000000000000000000000000"    // From the unspecified address.
              "ff0200000000000000000001ff123456"    // To ff02::1:ff12:3456.
              "8700e41e00000000"                    // Neighbour solicitation, checksum.
              "20010db8000000000000000000123456");  // Target.
}

TEST(NeighbourFrameTest, AnAdvertisementIsAClaim) {
    EXPECT_EQ(parse_claim(encode_neighbour_advertisement(kMac, address6("2001:db8::9"), true)),
              (NeighbourClaim{address("2001:db8::9"), kMac}));
}

TEST(NeighbourFrameTest, AnAdvertisementClaimsNoIpv4Address) {
    const Ipv6Address mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xc0, 0x00, 0x02, 0x64}};
    EXPECT_FALSE(parse_claim(encode_neighbour_advertisement(kMac, mapped, false)));
}

TEST(NeighbourFrameTest, EveryArpPacketOfAnOwnerIsAClaim) {
    for (const ArpOperation operation : {ArpOperation::request, ArpOperation::reply}) {
        EXPECT_EQ(parse_claim(encode_gratuitous_arp(kMac, {0xc0000264}, operation)),
                  (NeighbourClaim{address("192.0.2.100"), kMac}));
    }
}

TEST(NeighbourFrameTest, QuestionsOfNobodyAreNoClaims) {
    EXPECT_FALSE(parse_claim(encode_arp_probe(kMac, testing::ip("192.0.2.100"))));
    EXPECT_FALSE(parse_claim(encode_solicitation(kMac, address6("2001:db8::9"))));
}

TEST(NeighbourFrameTest, WhatCameOverARouterIsNoClaim) {
    Bytes frame = encode_neighbour_advertisement(kMac, address6("2001:db8::9"), false);
    frame[21] = 254;
    EXPECT_FALSE(parse_claim(frame));
}

TEST(NeighbourFrameTest, EveryPrefixOfAFrameIsRead) {
    for (const Bytes& whole :
         {encode_gratuitous_arp(kMac, {0xc0000264}, ArpOperation::reply),
          encode_neighbour_advertisement(kMac, address6("2001:db8::9"), false)}) {
        for (std::size_t length = 0; length < 32; ++length) {
            EXPECT_FALSE(parse_claim(ByteView(whole).first(length))) << length;
        }
    }
}

class NeighbourTest : public testing::TwoHosts {};

TEST_F(NeighbourTest, NobodyAnswersForAFreeAddress) {
    const auto owner = find_owner("out0", {address("192.0.2.9"), address("2001:db8::9")}, 40ms);
    ASSERT_TRUE(owner) << owner.error().detail;
    EXPECT_FALSE(owner->found);
    EXPECT_EQ(owner->sockets.size(), 2U) << "one for each family";
}

TEST_F(NeighbourTest, AnOwnerIsFoundInBothFamilies) {
    in_peer([] {
        EXPECT_TRUE(ip_command("link set peer0 address 02:00:00:00:00:77"));
        EXPECT_TRUE(ip_command("addr add 2001:db8::9/64 dev peer0 nodad"));
    });
    for (const char* text : {"192.0.2.51", "2001:db8::9"}) {
        const auto begun = std::chrono::steady_clock::now();
        const auto owner = find_owner("out0", {address("192.0.2.8"), address(text)}, 5s);
        ASSERT_TRUE(owner) << owner.error().detail;
        ASSERT_TRUE(owner->found) << text;
        EXPECT_EQ(owner->found->address, address(text));
        EXPECT_EQ(to_string(owner->found->mac), "02:00:00:00:00:77");
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s) << "an answer ends the wait";
    }
}

TEST_F(NeighbourTest, AskingLeavesNoTraceAtTheNeighbour) {
    ASSERT_TRUE(find_owner("out0", {address("192.0.2.51")}, 1s));
    in_peer([] { EXPECT_EQ(output_of("ip neigh show dev peer0 | grep 192.0.2"), ""); });
}

TEST_F(NeighbourTest, OnADeviceWithoutArpNobodyAnswers) {
    const auto owner = find_owner("lo", {address("127.0.0.1")}, 5s);
    ASSERT_TRUE(owner);
    EXPECT_FALSE(owner->found);
}

TEST_F(NeighbourTest, ReportsWhichInterfaceIsMissing) {
    const auto owner = find_owner("gone0", {address("192.0.2.9")}, 5s);
    ASSERT_FALSE(owner);
    EXPECT_NE(owner.error().detail.find("gone0"), std::string::npos);
}

}  // namespace neighbour_test
}  // namespace vpnha::adapters
