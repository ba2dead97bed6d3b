// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/ike_packet.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

namespace vpnha::ipsec {
namespace ike_packet_test {

constexpr std::uint8_t kCreate = 36;
constexpr std::uint8_t kInformational = 37;
constexpr std::uint8_t kInitiator = 0x08;
constexpr std::uint8_t kResponse = 0x20;

Bytes ipv4(std::uint16_t fragment = 0, std::uint8_t words = 5, std::uint8_t protocol = 17) {
    ByteWriter out;
    out.u8(0x40 | words).u8(0).u16(100).u16(1).u16(fragment).u8(64).u8(protocol).u16(0);
    out.u32(0xc6336407).u32(0xc0000264);
    for (std::uint8_t i = 5; i < words; ++i) {
        out.u32(0x01010101);
    }
    return std::move(out).take();
}

Bytes ipv6(std::uint8_t next = 17) {
    ByteWriter out;
    out.u32(0x60000000).u16(80).u8(next).u8(64);
    return std::move(out.u64(0).u64(1).u64(0).u64(2)).take();
}

Bytes ike(std::uint16_t port, std::uint8_t exchange, std::uint8_t flags = kInitiator,
          std::uint8_t version = 0x20, std::optional<std::uint32_t> marker = std::nullopt,
          std::uint16_t from = 4500) {
    if (port == 4500 && !marker) {
        marker = 0;
    }
    ByteWriter out;
    out.u16(from).u16(port).u16(marker ? 40 : 36).u16(0);
    if (marker) {
        out.u32(*marker);
    }
    out.u64(0xa001).u64(0xb001).u8(46).u8(version).u8(exchange).u8(flags).u32(5).u32(28);
    return std::move(out).take();
}

// What was parsed, as text; the octets of the packet are gone then.
std::optional<std::string> parse(Bytes header, const Bytes& rest, bool is_sent = false) {
    header.insert(header.end(), rest.begin(), rest.end());
    for (std::size_t size = 0; size < header.size() - 4; ++size) {
        EXPECT_FALSE(parse_ike_packet(ByteView(header).first(size), is_sent)) << size;
    }
    const auto packet = parse_ike_packet(header, is_sent);
    if (!packet) {
        return std::nullopt;
    }
    EXPECT_EQ(packet->key, (IkeKey{2, 0xa001, 0xb001}));
    EXPECT_EQ(packet->mid, 5U);
    EXPECT_EQ(packet->is_sent, is_sent);
    EXPECT_TRUE(packet->datagram.empty() ||
                to_hex(packet->datagram) == to_hex(ByteView(rest).subspan(8)));
    return fmt::format("{} > {} {}{}{}", to_string(packet->from), to_string(packet->to),
                       packet->makes_child ? "child" : "informational",
                       packet->is_answer ? " answer" : "", packet->datagram.empty() ? " cut" : "");
}

TEST(IkePacket, MessagesWithinAnSaAreSeen) {
    EXPECT_EQ(parse(ipv4(), ike(500, kInformational)),
              "198.51.100.7:4500 > 192.0.2.100:500 informational");
    EXPECT_EQ(parse(ipv4(), ike(4500, kCreate)), "198.51.100.7:4500 > 192.0.2.100:4500 child");
    EXPECT_EQ(parse(ipv4(0x2000, 7), ike(500, kCreate, 0)),
              "198.51.100.7:4500 > 192.0.2.100:500 child");
    EXPECT_EQ(parse(ipv4(), ike(500, kCreate, kResponse)),
              "198.51.100.7:4500 > 192.0.2.100:500 child answer");
    EXPECT_EQ(parse(ipv6(), ike(500, kInformational)), "[::1]:4500 > [::2]:500 informational");
    EXPECT_EQ(parse(ipv6(), ike(4500, kCreate)), "[::1]:4500 > [::2]:4500 child");
}

TEST(IkePacket, TheGatewaysEndHasIkesPort) {
    EXPECT_TRUE(
        parse(ipv4(), ike(1025, kInformational, kInitiator, 0x20, std::nullopt, 500), true));
    EXPECT_TRUE(parse(ipv4(), ike(1025, kInformational, kInitiator, 0x20, 0, 4500), true));
    EXPECT_FALSE(
        parse(ipv4(), ike(500, kInformational, kInitiator, 0x20, std::nullopt, 1025), true))
        << "of a client that dials elsewhere";
}

TEST(IkePacket, ADatagramThatIsNotThereAsAWholeIsNone) {
    Bytes longer = ike(500, kInformational);
    longer[5] += 1;
    EXPECT_EQ(parse(ipv4(), longer), "198.51.100.7:4500 > 192.0.2.100:500 informational cut");
}

TEST(IkePacket, EverythingElseIsNone) {
    EXPECT_FALSE(parse(ipv4(), ike(500, 35))) << "IKE_AUTH";
    EXPECT_FALSE(parse(ipv4(), ike(500, kCreate, kInitiator, 0x10))) << "IKEv1";
    EXPECT_FALSE(parse(ipv4(), ike(4500, kCreate, kInitiator, 0x20, 7))) << "ESP";
    EXPECT_FALSE(parse(ipv4(), ike(1701, kCreate)));
    EXPECT_FALSE(parse(ipv4(1), ike(500, kCreate))) << "a later fragment";
    EXPECT_FALSE(parse(ipv4(0, 5, 6), ike(500, kCreate)));
    Bytes short_header = ipv4(0, 4);
    short_header.resize(16);
    EXPECT_FALSE(parse(short_header, ike(500, kCreate)));
    EXPECT_FALSE(parse(ipv6(58), ike(500, kCreate)));
    Bytes other_version = ipv6();
    other_version.front() = 0x50;
    EXPECT_FALSE(parse(other_version, ike(500, kCreate)));
    EXPECT_FALSE(parse(Bytes(40, 0x50), ike(500, kCreate)));
}

}  // namespace ike_packet_test
}  // namespace vpnha::ipsec
