// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/ike_packet.hpp"

namespace vpnha::ipsec {

namespace {

constexpr std::uint8_t kIkeTransport = 17;
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kNatPort = 4500;
constexpr std::uint16_t kUdpHeader = 8;
// RFC 7296 3.1.
constexpr std::uint8_t kIkeVersion2 = 0x20;
constexpr std::uint8_t kCreateChildSa = 36;
constexpr std::uint8_t kInformational = 37;
constexpr std::uint8_t kResponseFlag = 0x20;

IpAddress take_address(ByteReader& in, std::size_t size) {
    return ip_address_of(in.take(size)).value_or(IpAddress{});
}

// Reads up to the UDP header; false: it is no UDP, or not the first fragment.
bool take_ip(ByteReader& in, IkePacket& packet) {
    const std::uint8_t first = in.u8();
    if (first >> 4 == 4) {
        constexpr std::size_t kBefore = 5;
        in.take(kBefore);
        const bool is_first = (in.u16() & 0x1fff) == 0;
        in.u8();
        const bool is_udp = in.u8() == kIkeTransport;
        in.u16();  // The checksum.
        packet.from.address = take_address(in, 4);
        packet.to.address = take_address(in, 4);
        constexpr std::size_t kRead = 20;
        const std::size_t header = std::size_t{first & 0xfU} * 4;
        if (header < kRead) {
            return false;
        }
        in.take(header - kRead);
        return is_first && is_udp;
    }
    constexpr std::size_t kBefore = 5;
    in.take(kBefore);
    const bool is_udp = in.u8() == kIkeTransport;
    in.u8();  // The hop limit.
    packet.from.address = take_address(in, 16);
    packet.to.address = take_address(in, 16);
    return first >> 4 == 6 && is_udp;
}

}  // namespace

std::optional<IkePacket> parse_ike_packet(ByteView octets, bool is_sent) {
    ByteReader in(octets);
    IkePacket packet;
    packet.is_sent = is_sent;
    if (!take_ip(in, packet)) {
        return std::nullopt;
    }
    packet.from.port = in.u16();
    packet.to.port = in.u16();
    const std::uint16_t size = in.u16();
    in.u16();  // The checksum.
    if (size >= kUdpHeader && in.ok() && in.remaining() >= size - std::size_t{kUdpHeader}) {
        packet.datagram = octets.last(in.remaining()).first(size - std::size_t{kUdpHeader});
    }
    const std::uint16_t port = is_sent ? packet.from.port : packet.to.port;
    // RFC 3948 2.2: four octets of 0 distinguish IKE from ESP.
    if ((port == kNatPort && in.u32() != 0) || (port != kNatPort && port != kIkePort)) {
        return std::nullopt;
    }
    packet.key.version = 2;
    packet.key.spi_i = in.u64();
    packet.key.spi_r = in.u64();
    in.u8();  // The first payload.
    const std::uint8_t version = in.u8();
    const std::uint8_t exchange = in.u8();
    packet.is_answer = (in.u8() & kResponseFlag) != 0;
    packet.mid = in.u32();
    packet.makes_child = exchange == kCreateChildSa;
    const bool is_within_sa =
        version == kIkeVersion2 && (exchange == kCreateChildSa || exchange == kInformational);
    return in.ok() && is_within_sa ? std::optional(packet) : std::nullopt;
}

}  // namespace vpnha::ipsec
