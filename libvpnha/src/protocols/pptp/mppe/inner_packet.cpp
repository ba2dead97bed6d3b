// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/inner_packet.hpp"

#include "base/internet_checksum.hpp"

namespace vpnha::mppe {

namespace {

constexpr std::uint16_t kIpv4 = 0x0021;
constexpr std::uint16_t kIpv6 = 0x0057;
constexpr std::size_t kIpv4HeaderMin = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kIpv6Addresses = 8;  // Both are at the header's end.
// Extension headers, RFC 8200 4.
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kDestination = 60;
constexpr std::size_t kExtensionsMax = 8;
constexpr std::size_t kExtensionUnit = 8;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kUdpChecksum = 6;

std::optional<InnerPacket> ipv4(ByteView bytes) {
    if (bytes.size() < kIpv4HeaderMin || !is_ipv4(bytes)) {
        return std::nullopt;
    }
    const std::size_t header = std::size_t{bytes[0]} % 16 * 4;
    const std::size_t length = std::size_t{bytes[2]} << 8 | bytes[3];
    if (header < kIpv4HeaderMin || length < header || length > bytes.size() ||
        internet_checksum(0, bytes.first(header)) != 0) {
        return std::nullopt;
    }
    return InnerPacket{bytes.first(length)};
}

// The part of an IPv6 packet that a checksum covers.
struct Upper {
    std::uint8_t protocol = 0;
    ByteView octets;
};

// nullopt: a header changes the final destination, or there are too many.
std::optional<Upper> upper_of(ByteView packet) {
    Upper upper{packet[6], packet.subspan(kIpv6Header)};
    for (std::size_t left = kExtensionsMax; left > 0; --left) {
        const bool is_extension = upper.protocol == kHopByHop || upper.protocol == kRouting ||
                                  upper.protocol == kDestination;
        if (!is_extension) {
            return upper;
        }
        ByteReader reader(upper.octets);
        const std::uint8_t next = reader.u8();
        const std::size_t more = reader.u8() * kExtensionUnit;
        reader.u8();
        const std::uint8_t segments_left = reader.u8();
        reader.take(kExtensionUnit - 4 + more);
        if (!reader.ok() || (upper.protocol == kRouting && segments_left != 0)) {
            return std::nullopt;
        }
        upper = {next, reader.rest()};
    }
    return std::nullopt;
}

bool has_checksum(const Upper& upper) {
    switch (upper.protocol) {
        case kTcp:
        case kIcmpv6:
            return true;
        case kUdp:  // RFC 6935: tunnels may omit it.
            return upper.octets.size() >= kUdpHeader &&
                   (upper.octets[kUdpChecksum] != 0 || upper.octets[kUdpChecksum + 1] != 0);
        default:
            return false;
    }
}

bool is_right(ByteView addresses, const Upper& upper) {
    const auto others = static_cast<std::uint32_t>(upper.octets.size()) + upper.protocol;
    const auto sum = static_cast<std::uint16_t>(~internet_checksum(others, addresses));
    return internet_checksum(sum, upper.octets) == 0;
}

std::optional<InnerPacket> ipv6(ByteView bytes) {
    if (bytes.size() < kIpv6Header || !is_ipv6(bytes)) {
        return std::nullopt;
    }
    const std::size_t length = kIpv6Header + (std::size_t{bytes[4]} << 8 | bytes[5]);
    if (length > bytes.size()) {
        return std::nullopt;
    }
    const ByteView packet = bytes.first(length);
    const std::optional<Upper> upper = upper_of(packet);
    if (!upper || !has_checksum(*upper)) {
        return length == bytes.size() ? std::optional(InnerPacket{packet, false}) : std::nullopt;
    }
    const ByteView addresses = packet.subspan(kIpv6Addresses, kIpv6Header - kIpv6Addresses);
    return is_right(addresses, *upper) ? std::optional(InnerPacket{packet}) : std::nullopt;
}

}  // namespace

std::optional<InnerPacket> inner_packet(ByteView plain, bool with_ipv6) {
    ByteReader reader(plain);
    std::uint16_t protocol = reader.u8();
    if (protocol % 2 == 0) {
        protocol = static_cast<std::uint16_t>(protocol << 8 | reader.u8());
    }
    if (protocol == kIpv4) {
        return ipv4(reader.rest());
    }
    return protocol == kIpv6 && with_ipv6 ? ipv6(reader.rest()) : std::nullopt;
}

bool is_ipv4(ByteView packet) {
    return !packet.empty() && packet[0] >> 4 == 4;
}

bool is_ipv6(ByteView packet) {
    return !packet.empty() && packet[0] >> 4 == 6;
}

}  // namespace vpnha::mppe
