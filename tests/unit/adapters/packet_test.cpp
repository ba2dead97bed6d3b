// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/packet.hpp"

#include <gtest/gtest.h>

namespace vpnha::adapters {
namespace {

constexpr MacAddress kMac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};
constexpr Ipv4Address kVip{0xc0000264};  // 192.0.2.100

TEST(GratuitousArpTest, RequestAsksForItsOwnAddress) {
    EXPECT_EQ(to_hex(encode_gratuitous_arp(kMac, kVip, ArpOperation::request)),
              "ffffffffffff02005e1000010806"  // To all, ARP.
              "0001080006040001"              // Ethernet, IPv4, 6, 4, request.
              "02005e100001c0000264"          // Sender.
              "000000000000c0000264");        // Target: the same address.
}

TEST(GratuitousArpTest, ReplyTellsAllOfIt) {
    EXPECT_EQ(to_hex(encode_gratuitous_arp(kMac, kVip, ArpOperation::reply)),
              "ffffffffffff02005e1000010806"
              "0001080006040002"
              "02005e100001c0000264"
              "ffffffffffffc0000264");
}

}  // namespace
}  // namespace vpnha::adapters
