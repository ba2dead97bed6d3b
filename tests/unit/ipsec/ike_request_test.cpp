// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/ike_request.hpp"

#include <gtest/gtest.h>

namespace vpnha::ipsec {
namespace ike_request_test {

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
    return std::move(out.u64(1).u64(2).u64(3).u64(4)).take();
}

Bytes ike(std::uint16_t port, std::uint8_t exchange, std::uint8_t flags = kInitiator,
          std::uint8_t version = 0x20, std::uint32_t marker = 0) {
    ByteWriter out;
    out.u16(4500).u16(port).u16(72).u16(0);
    if (port == 4500) {
        out.u32(marker);
    }
    out.u64(0xa001).u64(0xb001).u8(46).u8(version).u8(exchange).u8(flags).u32(5).u32(64);
    return std::move(out).take();
}

std::optional<IkeRequest> parse(Bytes header, const Bytes& rest) {
    header.insert(header.end(), rest.begin(), rest.end());
    for (std::size_t size = 0; size < header.size() - 4; ++size) {
        EXPECT_FALSE(parse_ike_request(ByteView(header).first(size))) << size;
    }
    return parse_ike_request(header);
}

constexpr IkeRequest kAsked{{2, 0xa001, 0xb001}, 5, false};
constexpr IkeRequest kAskedForChild{{2, 0xa001, 0xb001}, 5, true};

TEST(IkeRequest, RequestsWithinAnSaAreSeen) {
    EXPECT_EQ(parse(ipv4(), ike(500, kInformational)), kAsked);
    EXPECT_EQ(parse(ipv4(), ike(4500, kCreate)), kAskedForChild);
    EXPECT_EQ(parse(ipv4(0x2000, 7), ike(500, kCreate, 0)), kAskedForChild);
    EXPECT_EQ(parse(ipv6(), ike(500, kInformational)), kAsked);
    EXPECT_EQ(parse(ipv6(), ike(4500, kCreate)), kAskedForChild);
}

TEST(IkeRequest, EverythingElseIsNone) {
    EXPECT_FALSE(parse(ipv4(), ike(500, kCreate, kResponse)));
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

}  // namespace ike_request_test
}  // namespace vpnha::ipsec
