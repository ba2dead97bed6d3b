// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pppd/plugin_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kVersion = 1;

constexpr std::uint8_t kSessionUp = 1;
constexpr std::uint8_t kSessionDown = 2;
constexpr std::uint8_t kExit = 3;
constexpr std::uint8_t kProtected = 129;
constexpr std::uint8_t kUnprotected = 130;

// Fields. A field with this bit may be skipped by who does not know it.
constexpr std::uint16_t kOptionalBit = 0x8000;
constexpr std::uint16_t kGateway = 1;
constexpr std::uint16_t kPid = 2;
constexpr std::uint16_t kPeer = 3;
constexpr std::uint16_t kTunnel = 4;
constexpr std::uint16_t kSession = 5;
constexpr std::uint16_t kOurOptions = 6;
constexpr std::uint16_t kTheirOptions = 7;
constexpr std::uint16_t kAddresses = 8;
constexpr std::uint16_t kEcho = 9;
constexpr std::uint16_t kEstablished = 10;
constexpr std::uint16_t kUser = 11;
constexpr std::uint16_t kInterface = 12;
constexpr std::uint16_t kNotResumable = 13;
constexpr std::uint16_t kReason = 14;
constexpr std::uint16_t kLastUpField = kNotResumable;

constexpr std::uint8_t kProtocolCompression = 1;
constexpr std::uint8_t kAddressCompression = 2;

constexpr std::size_t kReasonBytesMax = 255;

// By bit of the field kNotResumable, lowest first.
constexpr std::string_view kReasons[] = {
    "compression (CCP) is in use or being negotiated; give pppd the option noccp",
    "MPPE is in use; give pppd the option nomppe",
    "Van Jacobson header compression is in use; give pppd the option novj",
    "the link is part of a multilink bundle; give pppd the option nomp",
    "the peer requires L2TP data sequencing",
    "IPv6CP is up; give pppd the option noipv6",
    "this end is the LAC, not the LNS",
};

ppp::LinkOptions read_link_options(ByteReader& value) {
    ppp::LinkOptions options;
    options.mru = value.u16();
    options.magic = value.u32();
    options.asyncmap = value.u32();
    const std::uint8_t flags = value.u8();
    options.protocol_compression = (flags & kProtocolCompression) != 0;
    options.address_compression = (flags & kAddressCompression) != 0;
    return options;
}

std::vector<std::string> reasons_of(std::uint32_t bits) {
    std::vector<std::string> reasons;
    for (std::size_t bit = 0; bit < 32; ++bit) {
        if ((bits >> bit & 1) != 0) {
            reasons.push_back(bit < std::size(kReasons)
                                  ? std::string(kReasons[bit])
                                  : fmt::format("the plugin names reason {}, unknown here", bit));
        }
    }
    return reasons;
}

std::string text_of(ByteReader& value, std::size_t length_max) {
    const std::size_t length = value.remaining();
    return to_text(value.take(length <= length_max ? length : length + 1));
}

// Reads the value of a field whose type is known; fails through `value`.
void read_field(std::uint16_t type, ByteReader& value, PluginSessionUp& up) {
    l2tp::SessionRecord& record = up.record;
    l2tp::TunnelKey& tunnel = record.key.tunnel;
    switch (type) {
        case kGateway:
            up.gateway = text_of(value, limits::kGatewayNameBytesMax);
            break;
        case kPid:
            up.pid = value.u32();
            break;
        case kPeer:
            tunnel.peer.address = Ipv4Address{value.u32()};
            tunnel.peer.port = value.u16();
            break;
        case kTunnel:
            tunnel.id = TunnelId{value.u16()};
            tunnel.peer_id = TunnelId{value.u16()};
            break;
        case kSession:
            record.key.id = SessionId{value.u16()};
            record.key.peer_id = SessionId{value.u16()};
            break;
        case kOurOptions:
            record.ours = read_link_options(value);
            break;
        case kTheirOptions:
            record.theirs = read_link_options(value);
            break;
        case kAddresses:
            record.our_address = Ipv4Address{value.u32()};
            record.peer_address = Ipv4Address{value.u32()};
            break;
        case kEcho:
            record.echo_interval_s = value.u16();
            record.echo_failures = value.u16();
            break;
        case kEstablished:
            record.established_unix_ms = value.u64();
            break;
        case kUser:
            record.user = text_of(value, limits::kUserNameBytesMax);
            break;
        case kInterface:
            record.interface = text_of(value, limits::kInterfaceNameBytesMax);
            break;
        case kNotResumable:
            up.not_resumable = reasons_of(value.u32());
            break;
        default:
            value.take(value.remaining() + 1);
            break;
    }
}

Result<void> validate(const PluginSessionUp& up) {
    if (up.gateway.empty() || up.pid == 0) {
        return fail(Errc::malformed, "a session lacks its gateway or its pid");
    }
    // The local end is the daemon's to fill in; the peer's stands in for it.
    l2tp::SessionRecord record = up.record;
    record.key.tunnel.local = record.key.tunnel.peer;
    return l2tp::validate(record);
}

Result<PluginMessage> parse_session_up(ByteReader& reader) {
    PluginSessionUp up;
    std::bitset<kLastUpField + 1> seen;
    while (reader.ok() && reader.remaining() > 0) {
        const std::uint16_t type = reader.u16();
        ByteReader value(reader.take_prefixed(limits::kPluginMessageBytesMax));
        if (!reader.ok()) {
            return fail(Errc::malformed, "a field is longer than its message");
        }
        if ((type & kOptionalBit) != 0) {
            continue;
        }
        if (type == 0 || type > kLastUpField || seen[type]) {
            return fail(Errc::malformed, fmt::format("field {} is unknown or given twice", type));
        }
        seen.set(type);
        read_field(type, value, up);
        if (!value.finished()) {
            return fail(Errc::malformed, fmt::format("field {} has a wrong length", type));
        }
    }
    // A plugin that leaves one out is no plugin of this version: all are there, but for the zero.
    if (seen.count() != kLastUpField) {
        return fail(Errc::malformed, "a field is missing");
    }
    VPNHA_CHECK(validate(up));
    return up;
}

}  // namespace

Result<PluginMessage> parse_plugin_message(ByteView bytes) {
    if (bytes.size() > limits::kPluginMessageBytesMax) {
        return fail(Errc::malformed, "a message is too long");
    }
    ByteReader reader(bytes);
    const std::uint16_t version = reader.u16();
    const std::uint8_t type = reader.u8();
    const std::uint8_t zero = reader.u8();
    if (!reader.ok() || version != kVersion || zero != 0) {
        return fail(Errc::malformed,
                    fmt::format("a message has no header of version {}", kVersion));
    }
    if (type == kSessionUp) {
        return parse_session_up(reader);
    }
    // Fields that later versions may add say nothing that this one must know.
    if (type == kSessionDown) {
        return PluginSessionDown{};
    }
    if (type == kExit) {
        return PluginExit{};
    }
    return fail(Errc::malformed, fmt::format("message type {} is unknown", type));
}

Bytes encode_plugin_verdict(std::string_view unprotected_reason) {
    ByteWriter writer;
    writer.u16(kVersion).u8(unprotected_reason.empty() ? kProtected : kUnprotected).u8(0);
    if (!unprotected_reason.empty()) {
        writer.u16(kReason).prefixed(unprotected_reason.substr(0, kReasonBytesMax));
    }
    return std::move(writer).take();
}

}  // namespace vpnha::adapters
