// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/control_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hpp"
#include "protocols/l2tp/model/limits.hpp"

namespace vpnha::l2tp {

namespace {

constexpr std::uint16_t kTypeBit = 0x8000;
// T, L and S set, O and P clear, version 2; the other bits are reserved and ignored.
constexpr std::uint16_t kFlagsMask = 0xcb0f;
constexpr std::uint16_t kControlFlags = 0xc802;
constexpr std::size_t kHeaderBytes = 12;

constexpr std::uint16_t kMandatoryBit = 0x8000;
constexpr std::uint16_t kHiddenBit = 0x4000;
constexpr std::uint16_t kReservedBits = 0x3c00;
constexpr std::uint16_t kAvpLengthMask = 0x03ff;
constexpr std::size_t kAvpHeaderBytes = 6;

// RFC 2661 4.4 defines 0..39 without 20.
constexpr std::uint16_t kAvpTypeMax = 39;
constexpr std::uint16_t kAvpTypeUnassigned = 20;
constexpr std::uint16_t kStopped = 1;     // Of a StopCCN: a general request.
constexpr std::uint16_t kUnknownAvp = 8;  // After the result of a general error.
constexpr std::uint16_t kVersion = 0x0100;
constexpr std::uint32_t kBothFramings = 3;
constexpr std::uint32_t kSynchronousFraming = 1;
constexpr std::uint32_t kConnectSpeed = 10'000'000;

Result<std::vector<Avp>> parse_avps(ByteReader reader) {
    std::vector<Avp> avps;
    while (reader.remaining() != 0) {
        if (avps.size() == limits::kL2tpAvpsMax) {
            return fail(Errc::malformed, "L2TP message with too many AVPs");
        }
        const std::uint16_t flags = reader.u16();
        const std::size_t length = flags & kAvpLengthMask;
        Avp avp;
        avp.mandatory = (flags & kMandatoryBit) != 0;
        avp.hidden = (flags & kHiddenBit) != 0;
        avp.reserved = (flags & kReservedBits) != 0;
        avp.vendor = reader.u16();
        avp.type = reader.u16();
        // A length below the header's own would make no progress.
        if (!reader.ok() || length < kAvpHeaderBytes ||
            length - kAvpHeaderBytes > reader.remaining()) {
            return fail(Errc::malformed, fmt::format("L2TP AVP of {} octets", length));
        }
        avp.value = reader.take(length - kAvpHeaderBytes);
        avps.push_back(avp);
    }
    return avps;
}

bool is_known(const Avp& avp) {
    return avp.vendor == 0 && !avp.reserved && avp.type <= kAvpTypeMax &&
           avp.type != kAvpTypeUnassigned;
}

void write_u16_avp(ByteWriter& writer, AvpType type, std::uint16_t value) {
    ByteWriter octets;
    octets.u16(value);
    write_avp(writer, {.type = static_cast<std::uint16_t>(type), .value = octets.view()});
}

void write_u32_avp(ByteWriter& writer, AvpType type, std::uint32_t value) {
    ByteWriter octets;
    octets.u32(value);
    write_avp(writer, {.type = static_cast<std::uint16_t>(type), .value = octets.view()});
}

ByteWriter begin(MessageType type) {
    ByteWriter writer;
    write_u16_avp(writer, AvpType::message_type, static_cast<std::uint16_t>(type));
    return writer;
}

}  // namespace

MessageType ControlMessage::type() const {
    VPNHA_ASSERT(!is_zlb());
    return static_cast<MessageType>(ByteReader(avps.front().value).u16());
}

const Avp* ControlMessage::find(AvpType type) const {
    const auto found = std::find_if(avps.begin(), avps.end(), [type](const Avp& avp) {
        return avp.vendor == 0 && avp.type == static_cast<std::uint16_t>(type) && !avp.hidden &&
               !avp.reserved;
    });
    return found == avps.end() ? nullptr : &*found;
}

std::optional<std::uint16_t> ControlMessage::u16(AvpType type) const {
    const Avp* const avp = find(type);
    if (avp == nullptr || avp->value.size() < 2) {
        return std::nullopt;
    }
    return ByteReader(avp->value).u16();
}

bool ControlMessage::has_unknown_mandatory() const {
    return std::any_of(avps.begin(), avps.end(),
                       [](const Avp& avp) { return avp.mandatory && !is_known(avp); });
}

bool is_data(ByteView datagram) {
    ByteReader reader(datagram);
    const std::uint16_t flags = reader.u16();
    return reader.ok() && (flags & kTypeBit) == 0;
}

std::optional<TunnelId> tunnel_of(ByteView datagram) {
    ByteReader reader(datagram);
    const std::uint16_t flags = reader.u16();
    reader.u16();
    const TunnelId tunnel{reader.u16()};
    return reader.ok() && (flags & kFlagsMask) == kControlFlags ? std::optional(tunnel)
                                                                : std::nullopt;
}

Result<ControlMessage> parse_control(ByteView datagram) {
    if (datagram.size() > limits::kL2tpMessageBytesMax) {
        return fail(Errc::malformed, fmt::format("L2TP message of {} octets", datagram.size()));
    }
    ByteReader reader(datagram);
    const std::uint16_t flags = reader.u16();
    const std::size_t length = reader.u16();
    ControlMessage message;
    message.header.tunnel = TunnelId{reader.u16()};
    message.header.session = SessionId{reader.u16()};
    message.header.ns = Seq16{reader.u16()};
    message.header.nr = Seq16{reader.u16()};
    if (!reader.ok() || (flags & kFlagsMask) != kControlFlags) {
        return fail(Errc::malformed, "no L2TPv2 control header");
    }
    if (length < kHeaderBytes || length > datagram.size()) {
        return fail(Errc::malformed, fmt::format("L2TP message states {} octets and has {}", length,
                                                 datagram.size()));
    }
    VPNHA_TRY(message.avps, parse_avps(ByteReader(reader.take(length - kHeaderBytes))));
    if (!message.is_zlb()) {
        const Avp& first = message.avps.front();
        if (first.vendor != 0 || first.type != static_cast<std::uint16_t>(AvpType::message_type) ||
            first.hidden || first.reserved || first.value.size() != 2) {
            return fail(Errc::malformed, "L2TP message that does not begin with its type");
        }
    }
    return message;
}

Bytes encode_control(const ControlHeader& header, ByteView avps) {
    const std::size_t length = kHeaderBytes + avps.size();
    VPNHA_ASSERT(length <= limits::kL2tpMessageBytesMax);
    ByteWriter writer;
    writer.u16(kControlFlags).u16(static_cast<std::uint16_t>(length));
    writer.u16(header.tunnel.value).u16(header.session.value);
    writer.u16(header.ns.value).u16(header.nr.value).bytes(avps);
    return std::move(writer).take();
}

void write_avp(ByteWriter& writer, const Avp& avp) {
    const std::size_t length = kAvpHeaderBytes + avp.value.size();
    VPNHA_ASSERT(length <= kAvpLengthMask);
    const std::size_t flags = length | (avp.mandatory ? kMandatoryBit : 0U) |
                              (avp.hidden ? kHiddenBit : 0U) | (avp.reserved ? kReservedBits : 0U);
    writer.u16(static_cast<std::uint16_t>(flags)).u16(avp.vendor).u16(avp.type).bytes(avp.value);
}

Bytes encode_sccrq(TunnelId own_id, std::string_view host_name) {
    ByteWriter writer = begin(MessageType::sccrq);
    write_u16_avp(writer, AvpType::protocol_version, kVersion);
    write_u32_avp(writer, AvpType::framing_capabilities, kBothFramings);
    write_avp(writer, {.type = static_cast<std::uint16_t>(AvpType::host_name),
                       .value = to_bytes(host_name)});
    write_u16_avp(writer, AvpType::assigned_tunnel_id, own_id.value);
    write_u16_avp(writer, AvpType::receive_window_size,
                  static_cast<std::uint16_t>(limits::kL2tpSendWindow));
    return std::move(writer).take();
}

Bytes encode_scccn() {
    return begin(MessageType::scccn).take();
}

Bytes encode_icrq(SessionId own_id, std::uint32_t serial_number) {
    ByteWriter writer = begin(MessageType::icrq);
    write_u16_avp(writer, AvpType::assigned_session_id, own_id.value);
    write_u32_avp(writer, AvpType::call_serial_number, serial_number);
    return std::move(writer).take();
}

Bytes encode_iccn() {
    ByteWriter writer = begin(MessageType::iccn);
    write_u32_avp(writer, AvpType::tx_connect_speed, kConnectSpeed);
    write_u32_avp(writer, AvpType::framing_type, kSynchronousFraming);
    return std::move(writer).take();
}

Bytes encode_hello() {
    return begin(MessageType::hello).take();
}

Bytes encode_cdn(CdnResult result, SessionId own_id) {
    ByteWriter writer = begin(MessageType::cdn);
    ByteWriter codes;
    codes.u16(static_cast<std::uint16_t>(result));
    if (result == CdnResult::unknown_avp) {
        codes.u16(kUnknownAvp);
    }
    write_avp(writer,
              {.type = static_cast<std::uint16_t>(AvpType::result_code), .value = codes.view()});
    write_u16_avp(writer, AvpType::assigned_session_id, own_id.value);
    return std::move(writer).take();
}

Bytes encode_icrp(SessionId own_id) {
    ByteWriter writer = begin(MessageType::icrp);
    write_u16_avp(writer, AvpType::assigned_session_id, own_id.value);
    return std::move(writer).take();
}

Bytes encode_stopccn(TunnelId own_id) {
    ByteWriter writer = begin(MessageType::stopccn);
    write_u16_avp(writer, AvpType::assigned_tunnel_id, own_id.value);
    write_u16_avp(writer, AvpType::result_code, kStopped);
    return std::move(writer).take();
}

std::string to_string(MessageType type) {
    switch (type) {
        case MessageType::sccrq:
            return "SCCRQ";
        case MessageType::sccrp:
            return "SCCRP";
        case MessageType::scccn:
            return "SCCCN";
        case MessageType::stopccn:
            return "StopCCN";
        case MessageType::hello:
            return "HELLO";
        case MessageType::ocrq:
            return "OCRQ";
        case MessageType::ocrp:
            return "OCRP";
        case MessageType::occn:
            return "OCCN";
        case MessageType::icrq:
            return "ICRQ";
        case MessageType::icrp:
            return "ICRP";
        case MessageType::iccn:
            return "ICCN";
        case MessageType::cdn:
            return "CDN";
        case MessageType::wen:
            return "WEN";
        case MessageType::sli:
            return "SLI";
    }
    return fmt::format("message type {}", static_cast<std::uint16_t>(type));
}

}  // namespace vpnha::l2tp
