// SPDX-License-Identifier: GPL-2.0-or-later
// Messages within an IKEv2 SA, as an observer on the path sees them: the SA, the message ID and the
// kind. Their contents are encrypted, and their senders are not authenticated.
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
    bool is_sent = false;      // This node sends it; otherwise it arrives.
    HaHost from{};
    HaHost to{};
    // The payload of UDP, with the non-ESP marker in front. Empty: the packet is cut short. The
    // octets that it was parsed from must outlive it.
    ByteView datagram{};
};

// Parses a packet from its IP header on (IPv4, or IPv6 without extension headers), perhaps cut
// short after the IKE header. nullopt: no such message, or not to or from the gateway's IKE ports.
[[nodiscard]] std::optional<IkePacket> parse_ike_packet(ByteView packet, bool is_sent);

}  // namespace vpnha::ipsec
