// SPDX-License-Identifier: GPL-2.0-or-later
// L2TPv2 control messages (RFC 2661 3.1, 4): a header of 12 octets, then AVPs, the Message Type
// first. A message without AVPs is a ZLB, a mere acknowledgement.
//
// The parser trusts nothing: the stated length lies within the datagram, every AVP has at least its
// own header, and their number is bounded. Hidden values are not decoded, since a resumed tunnel
// has no tunnel secret. xl2tpd never hides an AVP that a resumed tunnel evaluates.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocols/l2tp/model/seq16.hpp"
#include "vpnha/result.hpp"

namespace vpnha::l2tp {

enum class MessageType : std::uint16_t {
    sccrq = 1,
    sccrp = 2,
    scccn = 3,
    stopccn = 4,
    hello = 6,
    ocrq = 7,
    ocrp = 8,
    occn = 9,
    icrq = 10,
    icrp = 11,
    iccn = 12,
    cdn = 14,
    wen = 15,
    sli = 16,
};

// IETF AVPs (vendor 0) that a resumed tunnel or a probe reads or writes.
enum class AvpType : std::uint16_t {
    message_type = 0,
    result_code = 1,
    protocol_version = 2,
    framing_capabilities = 3,
    host_name = 7,
    assigned_tunnel_id = 9,
    receive_window_size = 10,
    challenge = 11,
    assigned_session_id = 14,
    call_serial_number = 15,
    framing_type = 19,
    tx_connect_speed = 24,
};

struct Avp {
    bool mandatory = true;
    bool hidden = false;
    bool reserved = false;  // A reserved bit was set: to be treated as unknown (RFC 2661 4.1).
    std::uint16_t vendor = 0;
    std::uint16_t type = 0;
    ByteView value{};  // Points into the datagram.
};

struct ControlHeader {
    TunnelId tunnel{};    // The receiver's; 0: not assigned yet (SCCRQ).
    SessionId session{};  // The receiver's; 0: the message is about the tunnel.
    Seq16 ns{};
    Seq16 nr{};
    friend bool operator==(const ControlHeader&, const ControlHeader&) = default;
};

struct ControlMessage {
    ControlHeader header;
    std::vector<Avp> avps;  // Empty: a ZLB.

    [[nodiscard]] bool is_zlb() const { return avps.empty(); }
    // For a message that is no ZLB. May be a type that RFC 2661 does not define.
    [[nodiscard]] MessageType type() const;
    // The first AVP of that type, vendor 0, not hidden.
    [[nodiscard]] const Avp* find(AvpType type) const;
    // Its value as an id or code, if it has at least two octets.
    [[nodiscard]] std::optional<std::uint16_t> u16(AvpType type) const;
    // Has an AVP that must be understood and is not (RFC 2661 4.1).
    [[nodiscard]] bool has_unknown_mandatory() const;
};

// Result codes of a CDN (RFC 2661 4.4.2).
enum class CdnResult : std::uint16_t {
    carrier_lost = 1,
    unknown_avp = 2,  // A general error, with the error code 8.
    administrative = 3,
    no_facilities_now = 4,
    not_in_time = 10,
};

// A data packet (T bit 0): it is for the kernel.
[[nodiscard]] bool is_data(ByteView datagram);

// The tunnel that a control message is for, 0 as well; nullopt: it is no control message.
[[nodiscard]] std::optional<TunnelId> tunnel_of(ByteView datagram);

[[nodiscard]] Result<ControlMessage> parse_control(ByteView datagram);

// A whole datagram; `avps` empty makes a ZLB.
[[nodiscard]] Bytes encode_control(const ControlHeader& header, ByteView avps);

void write_avp(ByteWriter& writer, const Avp& avp);
// `own_id` is the tunnel id that we assign.
[[nodiscard]] Bytes encode_sccrq(TunnelId own_id, std::string_view host_name);
[[nodiscard]] Bytes encode_scccn();
// `own_id` is the session id that we assign.
[[nodiscard]] Bytes encode_icrq(SessionId own_id, std::uint32_t serial_number);
[[nodiscard]] Bytes encode_iccn();
[[nodiscard]] Bytes encode_hello();
// `own_id` is the session id that we assigned, 0 if we assigned none.
[[nodiscard]] Bytes encode_cdn(CdnResult result, SessionId own_id);
// The answer to an ICRQ: `own_id` is the session id that we assign.
[[nodiscard]] Bytes encode_icrp(SessionId own_id);
// Result 1: a general request to clear the control connection (RFC 2661 4.4.2).
[[nodiscard]] Bytes encode_stopccn(TunnelId own_id);

// "CDN", for logs; "message type 99" where RFC 2661 has none.
[[nodiscard]] std::string to_string(MessageType type);

}  // namespace vpnha::l2tp
