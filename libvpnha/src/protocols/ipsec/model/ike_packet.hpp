// SPDX-License-Identifier: GPL-2.0-or-later
// Messages within an IKEv2 SA, as anybody on the way sees them: of which SA, with which number, and
// of which kind. What they say is encrypted, and who sent them is not proven.
#pragma once

#include <cstdint>
#include <optional>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::ipsec {

struct IkePacket {
    IkeKey key;
    std::uint32_t mid = 0;
    bool makes_child = false;  // CREATE_CHILD_SA; otherwise INFORMATIONAL.
    bool is_answer = false;    // Otherwise a request.
    bool is_sent = false;      // This node sends it; otherwise it has come.
    HaHost from{};
    HaHost to{};
    // What UDP carries, with what tells IKE from ESP in front. Empty: the packet has not all of it.
    // The octets that it was parsed from must outlive it.
    ByteView datagram{};
};

// Of a packet from its IP header on, IPv4 or IPv6 without extension headers, that may be cut short
// behind the IKE header. nullopt: it is none, or the gateway's end has none of IKE's ports.
[[nodiscard]] std::optional<IkePacket> parse_ike_packet(ByteView packet, bool is_sent);

}  // namespace vpnha::ipsec
