// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/ike_request.hpp"

namespace vpnha::ipsec {

namespace {

constexpr std::uint8_t kIkeTransport = 17;
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kNatPort = 4500;
// RFC 7296 3.1.
constexpr std::uint8_t kIkeVersion2 = 0x20;
constexpr std::uint8_t kCreateChildSa = 36;
constexpr std::uint8_t kInformational = 37;
constexpr std::uint8_t kResponseFlag = 0x20;

// Up to the UDP header; false: it is no UDP, or not the beginning of it.
bool skip_ip(ByteReader& in) {
    const std::uint8_t first = in.u8();
    if (first >> 4 == 4) {
        constexpr std::size_t kBefore = 5;
        in.take(kBefore);
        const bool is_first = (in.u16() & 0x1fff) == 0;
        in.u8();
        const bool is_udp = in.u8() == kIkeTransport;
        constexpr std::size_t kRead = 10;
        constexpr std::size_t kHeaderMin = 20;
        const std::size_t header = std::size_t{first & 0xfU} * 4;
        if (header < kHeaderMin) {
            return false;
        }
        in.take(header - kRead);
        return is_first && is_udp;
    }
    constexpr std::size_t kBefore = 5;
    constexpr std::size_t kBehind = 33;
    in.take(kBefore);
    const bool is_udp = in.u8() == kIkeTransport;
    in.take(kBehind);
    return first >> 4 == 6 && is_udp;
}

}  // namespace

std::optional<IkeRequest> parse_ike_request(ByteView packet) {
    ByteReader in(packet);
    if (!skip_ip(in)) {
        return std::nullopt;
    }
    in.u16();
    const std::uint16_t port = in.u16();
    in.u32();  // Length and checksum.
    // RFC 3948 2.2: four octets of 0 tell IKE from ESP.
    if ((port == kNatPort && in.u32() != 0) || (port != kNatPort && port != kIkePort)) {
        return std::nullopt;
    }
    IkeRequest request;
    request.key.version = 2;
    request.key.spi_i = in.u64();
    request.key.spi_r = in.u64();
    in.u8();  // The first payload.
    const std::uint8_t version = in.u8();
    const std::uint8_t exchange = in.u8();
    const std::uint8_t flags = in.u8();
    request.mid = in.u32();
    request.makes_child = exchange == kCreateChildSa;
    const bool is_request = version == kIkeVersion2 && (flags & kResponseFlag) == 0 &&
                            (exchange == kCreateChildSa || exchange == kInformational);
    return in.ok() && is_request ? std::optional(request) : std::nullopt;
}

}  // namespace vpnha::ipsec
