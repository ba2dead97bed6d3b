// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of PPTP's control connection (RFC 2637 2): a length, a cookie, a type, a body. After a
// wrong cookie the position in the stream is lost.
#pragma once

#include <cstdint>
#include <optional>

#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::pptp {

enum class ControlType : std::uint16_t {
    start_request = 1,
    start_reply,
    stop_request,
    stop_reply,
    echo_request,
    echo_reply,
    outgoing_call_request,
    outgoing_call_reply,
    incoming_call_request,
    incoming_call_reply,
    incoming_call_connected,
    call_clear_request,
    call_disconnect_notify,
    wan_error_notify,
    set_link_info,
};

inline constexpr std::size_t kEchoRequestBytes = 16;
inline constexpr std::size_t kEchoReplyBytes = 20;

struct ControlMessage {
    ControlType type{};  // Any number: the caller decides about an unknown one.
    ByteView body;       // After the header; part of the octets it was parsed from.
};

// The first message of a stream. nullopt: it is not complete yet. Malformed: no message of PPTP.
// `size`: its octets in the stream.
[[nodiscard]] Result<std::optional<ControlMessage>> parse_control_message(ByteView stream,
                                                                          std::size_t& size);

// Values of bodies; nullopt: it is another message, or cut short.
[[nodiscard]] std::optional<std::uint32_t> echo_id(const ControlMessage& message);
// The caller's id.
[[nodiscard]] std::optional<CallId> requested_call(const ControlMessage& message);
struct CallAnswer {
    CallId id{};       // The answering side's.
    CallId peer_id{};  // The caller's.
    bool connected = false;
};
[[nodiscard]] std::optional<CallAnswer> call_answer(const ControlMessage& message);

// A client's messages: the first one of a connection, a call, and the ends of both.
[[nodiscard]] Bytes build_start_request();
[[nodiscard]] Bytes build_call_request(CallId ours);
[[nodiscard]] Bytes build_call_clear_request(CallId ours);
[[nodiscard]] Bytes build_stop_request();

[[nodiscard]] Bytes build_echo_request(std::uint32_t id);
[[nodiscard]] Bytes build_echo_reply(std::uint32_t id);
[[nodiscard]] Bytes build_stop_reply();
// Another call on this connection is refused.
[[nodiscard]] Bytes build_call_refusal(CallId caller);
[[nodiscard]] Bytes build_call_disconnect_notify(CallId ours);

}  // namespace vpnha::pptp
