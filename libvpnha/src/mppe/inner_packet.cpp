// SPDX-License-Identifier: GPL-2.0-or-later
#include "mppe/inner_packet.hpp"

namespace vpnha::mppe {

namespace {

constexpr std::uint16_t kIpv4 = 0x0021;
constexpr std::uint16_t kIpv6 = 0x0057;
constexpr std::size_t kIpv4HeaderMin = 20;
constexpr std::size_t kIpv6Header = 40;

bool has_right_checksum(ByteView header) {
    std::uint32_t sum = 0;
    for (ByteReader reader(header); reader.remaining() != 0;) {
        sum += reader.u16();
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum == 0xffff;
}

std::optional<ByteView> ipv4(ByteView bytes) {
    if (bytes.size() < kIpv4HeaderMin || bytes[0] >> 4 != 4) {
        return std::nullopt;
    }
    const std::size_t header = std::size_t{bytes[0]} % 16 * 4;
    const std::size_t length = std::size_t{bytes[2]} << 8 | bytes[3];
    if (header < kIpv4HeaderMin || length < header || length > bytes.size() ||
        !has_right_checksum(bytes.first(header))) {
        return std::nullopt;
    }
    return bytes.first(length);
}

std::optional<ByteView> ipv6(ByteView bytes) {
    if (bytes.size() < kIpv6Header || bytes[0] >> 4 != 6) {
        return std::nullopt;
    }
    const std::size_t length = kIpv6Header + (std::size_t{bytes[4]} << 8 | bytes[5]);
    if (length > bytes.size()) {
        return std::nullopt;
    }
    return bytes.first(length);
}

}  // namespace

std::optional<ByteView> inner_packet(ByteView plain) {
    ByteReader reader(plain);
    std::uint16_t protocol = reader.u8();
    if (protocol % 2 == 0) {
        protocol = static_cast<std::uint16_t>(protocol << 8 | reader.u8());
    }
    switch (protocol) {
        case kIpv4:
            return ipv4(reader.rest());
        case kIpv6:
            return ipv6(reader.rest());
        default:
            return std::nullopt;
    }
}

std::optional<std::uint16_t> protocol_of(ByteView packet) {
    if (packet.empty()) {
        return std::nullopt;
    }
    switch (packet[0] >> 4) {
        case 4:
            return kIpv4;
        case 6:
            return kIpv6;
        default:
            return std::nullopt;
    }
}

}  // namespace vpnha::mppe
