// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/control_message.hpp"

#include <fmt/format.h>

#include "protocols/pptp/model/limits.hpp"

namespace vpnha::pptp {

namespace {

constexpr std::uint16_t kControl = 1;  // "PPTP message type"
constexpr std::uint32_t kCookie = 0x1a2b3c4d;
constexpr std::size_t kHeaderBytes = 12;

// RFC 2637 2.4, 2.6, 2.8, 2.13
constexpr std::uint8_t kOk = 1;
constexpr std::uint8_t kConnected = 1;
constexpr std::uint8_t kDoNotAccept = 7;
constexpr std::uint8_t kAdministrative = 3;
constexpr std::size_t kStatisticsBytes = 128;

// RFC 2637 2.1, 2.3, 2.7: both kinds of framing and of bearer, any speed, 64 packets in flight.
constexpr std::uint16_t kVersion = 0x0100;
constexpr std::uint32_t kEither = 3;
constexpr std::uint32_t kSpeedMin = 2400;
constexpr std::uint32_t kSpeedMax = 1'000'000'000;
constexpr std::uint16_t kWindow = 64;
constexpr std::uint8_t kNoReason = 1;
constexpr std::size_t kNameBytes = 64;

Bytes build(ControlType type, const ByteWriter& body) {
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(kHeaderBytes + body.size())).u16(kControl);
    writer.u32(kCookie).u16(static_cast<std::uint16_t>(type)).u16(0).bytes(body.view());
    return std::move(writer).take();
}

}  // namespace

Result<std::optional<ControlMessage>> parse_control_message(ByteView stream, std::size_t& size) {
    ByteReader reader(stream);
    const std::size_t length = reader.u16();
    const std::uint16_t kind = reader.u16();
    const std::uint32_t cookie = reader.u32();
    const std::uint16_t type = reader.u16();
    reader.take(2);
    if (!reader.ok()) {
        return std::optional<ControlMessage>{};
    }
    if (kind != kControl || cookie != kCookie || length < kHeaderBytes ||
        length > limits::kPptpMessageBytesMax) {
        return fail(Errc::malformed,
                    fmt::format("PPTP message of {} octets, kind {}, cookie {:#010x}", length, kind,
                                cookie));
    }
    if (length - kHeaderBytes > reader.remaining()) {
        return std::optional<ControlMessage>{};
    }
    size = length;
    return std::optional(
        ControlMessage{static_cast<ControlType>(type), reader.take(length - kHeaderBytes)});
}

std::optional<std::uint32_t> echo_id(const ControlMessage& message) {
    ByteReader reader(message.body);
    const std::uint32_t id = reader.u32();
    if ((message.type != ControlType::echo_request && message.type != ControlType::echo_reply) ||
        !reader.ok()) {
        return std::nullopt;
    }
    return id;
}

std::optional<CallId> requested_call(const ControlMessage& message) {
    ByteReader reader(message.body);
    const CallId id{reader.u16()};
    if (message.type != ControlType::outgoing_call_request || !reader.ok()) {
        return std::nullopt;
    }
    return id;
}

std::optional<CallAnswer> call_answer(const ControlMessage& message) {
    ByteReader reader(message.body);
    CallAnswer answer;
    answer.id = CallId{reader.u16()};
    answer.peer_id = CallId{reader.u16()};
    answer.connected = reader.u8() == kConnected;
    if (message.type != ControlType::outgoing_call_reply || !reader.ok()) {
        return std::nullopt;
    }
    return answer;
}

Bytes build_start_request() {
    ByteWriter body;
    body.u16(kVersion).u16(0).u32(kEither).u32(kEither).u16(0).u16(0);
    body.bytes(Bytes(2 * kNameBytes));  // The host's name, and the vendor's.
    return build(ControlType::start_request, body);
}

Bytes build_call_request(CallId ours) {
    ByteWriter body;
    body.u16(ours.value).u16(0).u32(kSpeedMin).u32(kSpeedMax).u32(kEither).u32(kEither);
    body.u16(kWindow).u16(0).u16(0).u16(0).bytes(Bytes(2 * kNameBytes));  // No number is dialled.
    return build(ControlType::outgoing_call_request, body);
}

Bytes build_call_clear_request(CallId ours) {
    return build(ControlType::call_clear_request, ByteWriter().u16(ours.value).u16(0));
}

Bytes build_stop_request() {
    return build(ControlType::stop_request, ByteWriter().u8(kNoReason).u8(0).u16(0));
}

Bytes build_echo_request(std::uint32_t id) {
    return build(ControlType::echo_request, ByteWriter().u32(id));
}

Bytes build_echo_reply(std::uint32_t id) {
    return build(ControlType::echo_reply, ByteWriter().u32(id).u8(kOk).u8(0).u16(0));
}

Bytes build_stop_reply() {
    return build(ControlType::stop_reply, ByteWriter().u8(kOk).u8(0).u16(0));
}

Bytes build_call_refusal(CallId caller) {
    ByteWriter body;
    body.u16(0).u16(caller.value).u8(kDoNotAccept).u8(0).u16(0);
    body.u32(0).u16(0).u16(0).u32(0);  // Speed, window, delay, channel.
    return build(ControlType::outgoing_call_reply, body);
}

Bytes build_call_disconnect_notify(CallId ours) {
    ByteWriter body;
    body.u16(ours.value).u8(kAdministrative).u8(0).u16(0).u16(0).bytes(Bytes(kStatisticsBytes));
    return build(ControlType::call_disconnect_notify, body);
}

}  // namespace vpnha::pptp
