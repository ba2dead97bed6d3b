// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/observed_packet.hpp"

#include <algorithm>

namespace vpnha::adapters {

namespace {

constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kTcpBytes = 20;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kGre = 47;
constexpr std::uint16_t kFragmentOffset = 0x1fff;

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNothing = 1;
constexpr std::uint8_t kOptionMss = 2;
constexpr std::uint8_t kOptionScale = 3;
constexpr std::uint8_t kScaleMax = 14;  // RFC 7323 2.3: larger values count as this one.
constexpr std::uint8_t kOptionSack = 4;
constexpr std::uint8_t kOptionTimestamps = 8;

// Version 1 and a key; a sequence number, an acknowledgement.
constexpr std::uint16_t kGreFixed = 0x2001;
constexpr std::uint16_t kGreFixedMask = 0xef7f;
constexpr std::uint16_t kGreSequence = 0x1000;
constexpr std::uint16_t kGreAcknowledgement = 0x0080;
constexpr std::uint16_t kGrePpp = 0x880b;

constexpr std::uint16_t kAddressControl = 0xff03;
constexpr std::uint16_t kCompressed = 0x00fd;
constexpr std::uint16_t kCoherency = 0x0fff;

struct ObservedIpv4 {
    std::uint8_t protocol = 0;
    Ipv4Address from;
    Ipv4Address to;
    std::size_t body_size = 0;  // On the wire.
    ByteView body;              // As captured.
};

std::optional<ObservedIpv4> parse_ipv4_start(ByteView bytes) {
    if (bytes.size() < kIpv4Bytes || bytes[0] >> 4 != 4) {
        return std::nullopt;
    }
    const std::size_t header = std::size_t{bytes[0] & 0x0fU} * 4;
    ByteReader reader(bytes.subspan(2));
    const std::size_t length = reader.u16();
    reader.u16();
    const std::uint16_t fragment = reader.u16();
    reader.u8();
    ObservedIpv4 ip;
    ip.protocol = reader.u8();
    reader.u16();
    ip.from = Ipv4Address{reader.u32()};
    ip.to = Ipv4Address{reader.u32()};
    if (header < kIpv4Bytes || header > bytes.size() || length < header ||
        (fragment & kFragmentOffset) != 0) {
        return std::nullopt;
    }
    ip.body_size = length - header;
    ip.body = bytes.subspan(header);
    // Ethernet pads short frames.
    ip.body = ip.body.first(std::min(ip.body.size(), ip.body_size));
    return ip;
}

void read_options(ByteReader options, ObservedSegment& segment) {
    while (options.ok() && options.remaining() > 0) {
        const std::uint8_t kind = options.u8();
        if (kind == kOptionEnd) {
            return;
        }
        if (kind == kOptionNothing) {
            continue;
        }
        const std::uint8_t length = options.u8();
        ByteReader value(options.take(length < 2 ? options.remaining() + 1 : length - 2U));
        if (!options.ok()) {
            return;
        }
        if (kind == kOptionMss && length == 4) {
            segment.mss = value.u16();
        } else if (kind == kOptionScale && length == 3) {
            segment.window_scale = std::min(value.u8(), kScaleMax);
        } else if (kind == kOptionSack && length == 2) {
            segment.sack_permitted = true;
        } else if (kind == kOptionTimestamps && length == 10) {
            segment.tsval = value.u32();
            segment.tsecr = value.u32();
        }
    }
}

std::optional<ObservedPacket> parse_segment(const ObservedIpv4& ip) {
    ByteReader reader(ip.body);
    ObservedSegment segment;
    segment.from = {ip.from, reader.u16()};
    segment.to = {ip.to, reader.u16()};
    segment.seq = reader.u32();
    segment.ack = reader.u32();
    const std::size_t header = static_cast<std::size_t>(reader.u8() >> 4) * 4;
    segment.flags = reader.u8();
    segment.window = reader.u16();
    if (!reader.ok() || header < kTcpBytes || header > ip.body.size()) {
        return std::nullopt;
    }
    read_options(ByteReader(ip.body.subspan(kTcpBytes, header - kTcpBytes)), segment);
    segment.payload = ip.body.subspan(header);
    segment.end = segment.seq + static_cast<std::uint32_t>(ip.body_size - header) +
                  ((segment.flags & ObservedSegment::kSyn) != 0 ? 1 : 0) +
                  ((segment.flags & ObservedSegment::kFin) != 0 ? 1 : 0);
    return segment;
}

std::optional<std::uint16_t> coherency_of(ByteReader frame) {
    std::uint16_t protocol = frame.u16();
    if (protocol == kAddressControl) {
        protocol = frame.u16();
    }
    // The protocol in one octet (RFC 1661 6.5): MPPE's first octet follows it.
    if (protocol >> 8 == kCompressed) {
        const auto high = static_cast<std::uint16_t>((protocol & 0xffU) << 8);
        const auto word = static_cast<std::uint16_t>(high | frame.u8());
        return frame.ok() ? std::optional<std::uint16_t>(word & kCoherency) : std::nullopt;
    }
    const std::uint16_t word = frame.u16();
    return protocol == kCompressed && frame.ok() ? std::optional<std::uint16_t>(word & kCoherency)
                                                 : std::nullopt;
}

std::optional<ObservedPacket> parse_call_packet(const ObservedIpv4& ip) {
    ByteReader reader(ip.body);
    const std::uint16_t flags = reader.u16();
    const std::uint16_t protocol = reader.u16();
    reader.u16();
    ObservedGre packet;
    packet.from = ip.from;
    packet.to = ip.to;
    packet.call = reader.u16();
    if ((flags & kGreFixedMask) != kGreFixed || protocol != kGrePpp) {
        return std::nullopt;
    }
    if ((flags & kGreSequence) != 0) {
        packet.sequence = reader.u32();
    }
    if ((flags & kGreAcknowledgement) != 0) {
        packet.acknowledged = reader.u32();
    }
    if (!reader.ok()) {
        return std::nullopt;
    }
    if (packet.sequence) {
        packet.coherency = coherency_of(reader);
    }
    return packet;
}

}  // namespace

std::optional<ObservedPacket> parse_observed(ByteView bytes) {
    const std::optional<ObservedIpv4> ip = parse_ipv4_start(bytes);
    if (!ip) {
        return std::nullopt;
    }
    return ip->protocol == kTcp   ? parse_segment(*ip)
           : ip->protocol == kGre ? parse_call_packet(*ip)
                                  : std::nullopt;
}

}  // namespace vpnha::adapters
