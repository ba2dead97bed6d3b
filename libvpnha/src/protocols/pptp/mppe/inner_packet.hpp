// SPDX-License-Identifier: GPL-2.0-or-later
// MPPE encrypts a PPP protocol number and an IP packet. MPPE has no checksum of its own: only the
// packet shows whether the key was right.
//
//   packet                                      | proof
//   --------------------------------------------+------------------------------------------------
//   IPv4                                        | the checksum of its header (RFC 791 3.1)
//   IPv6 with TCP, UDP or ICMPv6                | their checksum (RFC 8200 8.1)
//   any other of IPv6: fragments, ESP, UDP      | its form alone: the version, and the length of
//   without a checksum, a route before its end  | the frame
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace vpnha::mppe {

struct InnerPacket {
    ByteView octets;
    // A wrong key gives one such packet in 2^30. Without: one in 2^28, or in 2^36 if the protocol
    // number has two octets.
    bool has_checksum = true;
};

// The packet after the protocol number of one or two octets. nullopt: it is none, or one of IPv6
// without `with_ipv6`. Octets after the packet's own length are cut off; a packet without a
// checksum has none.
[[nodiscard]] std::optional<InnerPacket> inner_packet(ByteView plain, bool with_ipv6);
// By its first octet.
[[nodiscard]] bool is_ipv4(ByteView packet);
[[nodiscard]] bool is_ipv6(ByteView packet);

}  // namespace vpnha::mppe
