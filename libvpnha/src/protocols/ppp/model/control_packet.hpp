// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of LCP and the NCPs (RFC 1661 5): code, identifier, length, data. Octets after the stated
// length are padding and ignored (RFC 1661 5).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ppp {

// Protocol numbers that a resumed link knows (RFC 1661 2, IANA "PPP DLL Protocol Numbers").
enum class Protocol : std::uint16_t {
    ip = 0x0021,
    ipv6 = 0x0057,
    compressed = 0x00fd,  // With MPPE also encrypted (RFC 3078 3).
    ipcp = 0x8021,
    ipv6cp = 0x8057,
    lcp = 0xc021,
    pap = 0xc023,
    chap = 0xc223,
    eap = 0xc227,
};

enum class Code : std::uint8_t {
    configure_request = 1,
    configure_ack = 2,
    configure_nak = 3,
    configure_reject = 4,
    terminate_request = 5,
    terminate_ack = 6,
    code_reject = 7,
    protocol_reject = 8,
    echo_request = 9,
    echo_reply = 10,
    discard_request = 11,
    identification = 12,  // RFC 1570 2.1
    time_remaining = 13,  // RFC 1570 2.2
};

struct ControlPacket {
    Code code{};  // Any octet: the caller rejects an unknown code.
    std::uint8_t id = 0;
    ByteView data;  // Points into the bytes it was parsed from.
};

// `bytes` begins at the code.
[[nodiscard]] Result<ControlPacket> parse_control_packet(ByteView bytes);

// A whole frame for a PPP channel: protocol number, then the packet. The data must fit into
// limits::kPppFrameBytesMax.
[[nodiscard]] Bytes encode_control_frame(Protocol protocol, const ControlPacket& packet);

}  // namespace vpnha::ppp
