// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/packet.hpp"

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace packet_test {

using testing::ip_command;
using testing::output_of;
using testing::prefix;

constexpr MacAddress kMac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};
constexpr Ipv4Address kVip{0xc0000264};  // 192.0.2.100

TEST(GratuitousArpTest, RequestAsksForItsOwnAddress) {
    EXPECT_EQ(to_hex(encode_gratuitous_arp(kMac, kVip, ArpOperation::request)),
              "ffffffffffff02005e1000010806"  // To all, ARP.
              "0001080006040001"              // Ethernet, IPv4, 6, 4, request.
              "02005e100001c0000264"          // Sender.
              "000000000000c0000264");        // Target: the same address.
}

TEST(GratuitousArpTest, ReplyReportsAllOfIt) {
    EXPECT_EQ(to_hex(encode_gratuitous_arp(kMac, kVip, ArpOperation::reply)),
              "ffffffffffff02005e1000010806"
              "0001080006040002"
              "02005e100001c0000264"
              "ffffffffffffc0000264");
}

// 2001:db8::100
constexpr Ipv6Address kVip6 = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}};

TEST(NeighbourAdvertisementTest, NotifiesAllNodesOfTheAddress) {
    EXPECT_EQ(to_hex(encode_neighbour_advertisement(kMac, kVip6, true)),
              "33330000000102005e10000186dd"      // To all nodes, IPv6.
              "6000000000203aff"                  // 32 octets, ICMPv6, 255 hops.
              "20010db8000000000000000000000100"  // From the address itself.
              "ff020000000000000000000000000001"
              "8800191c"                          // An advertisement.
              "a0000000"                          // Router, override, not solicited.
              "20010db8000000000000000000000100"  // Target.
              "020102005e100001");                // Its link-layer address.
}

TEST(NeighbourAdvertisementTest, ReportsWhetherItIsARouter) {
    const Bytes host = encode_neighbour_advertisement(kMac, kVip6, false);
    EXPECT_EQ(host.at(58), 0x20);
    EXPECT_EQ(to_hex(ByteView(host).subspan(56, 2)), "991c") << "the checksum covers it";
}

class AnnounceTest : public testing::TwoHosts {};

TEST_F(AnnounceTest, AnnouncementsChangeTheCacheOfAPeer) {
    in_peer([] {
        EXPECT_TRUE(ip_command("addr add 2001:db8::51/64 dev peer0 nodad"));
        EXPECT_TRUE(ip_command("neigh add 192.0.2.9 lladdr 02:00:00:00:00:01 nud stale dev peer0"));
        EXPECT_TRUE(
            ip_command("neigh add 2001:db8::9 lladdr 02:00:00:00:00:01 nud stale dev peer0"));
    });
    const auto notified =
        announce_addresses("out0", {prefix("192.0.2.9/24"), prefix("2001:db8::9/64")});
    ASSERT_TRUE(notified) << notified.error().detail;
    const std::string mac = output_of("cat /sys/class/net/out0/address").substr(0, 17);
    in_peer([&mac] {
        for (const char* each : {"192.0.2.9", "2001:db8::9"}) {
            const std::string cached = output_of(std::string("ip neigh show ") + each);
            EXPECT_EQ(cached.find("02:00:00:00:00:01"), std::string::npos) << cached;
        }
    });
}

TEST_F(AnnounceTest, ADeviceWithoutArpHasNobodyToNotify) {
    EXPECT_TRUE(announce_addresses("lo", {prefix("192.0.2.9/24"), prefix("2001:db8::9/64")}));
}

TEST_F(AnnounceTest, ReportsWhichInterfaceIsMissing) {
    const auto notified = announce_addresses("gone0", {prefix("192.0.2.9/24")});
    ASSERT_FALSE(notified);
    EXPECT_NE(notified.error().detail.find("gone0"), std::string::npos);
}

}  // namespace packet_test
}  // namespace vpnha::adapters
