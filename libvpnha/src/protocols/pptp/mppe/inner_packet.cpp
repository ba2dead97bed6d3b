// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/inner_packet.hpp"

namespace vpnha::mppe {

namespace {

constexpr std::uint16_t kIpv4 = 0x0021;
constexpr std::size_t kIpv4HeaderMin = 20;

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

}  // namespace

std::optional<ByteView> inner_packet(ByteView plain) {
    ByteReader reader(plain);
    std::uint16_t protocol = reader.u8();
    if (protocol % 2 == 0) {
        protocol = static_cast<std::uint16_t>(protocol << 8 | reader.u8());
    }
    return protocol == kIpv4 ? ipv4(reader.rest()) : std::nullopt;
}

bool is_ipv4(ByteView packet) {
    return !packet.empty() && packet[0] >> 4 == 4;
}

}  // namespace vpnha::mppe
