// SPDX-License-Identifier: GPL-2.0-or-later
// What MPPE encrypts is an IP packet behind its PPP protocol number. MPPE has no checksum of its
// own: whether the right key was taken shows in the headers only.
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace vpnha::mppe {

// The packet behind the protocol number of one or two octets. nullopt: it is none. An IPv4 header
// has the right checksum; octets behind the packet's own length are cut off.
[[nodiscard]] std::optional<ByteView> inner_packet(ByteView plain);
// The PPP protocol number for it. nullopt: it is neither IPv4 nor IPv6.
[[nodiscard]] std::optional<std::uint16_t> protocol_of(ByteView packet);

}  // namespace vpnha::mppe
