// SPDX-License-Identifier: GPL-2.0-or-later
// What MPPE encrypts is an IPv4 packet behind its PPP protocol number: a call with IPv6CP is not
// resumed. MPPE has no checksum of its own: whether the right key was taken shows in the header
// only, and IPv6's has no checksum either.
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace vpnha::mppe {

// The packet behind the protocol number of one or two octets. nullopt: it is none. Its header
// has the right checksum; octets behind the packet's own length are cut off.
[[nodiscard]] std::optional<ByteView> inner_packet(ByteView plain);
// By its first octet.
[[nodiscard]] bool is_ipv4(ByteView packet);

}  // namespace vpnha::mppe
