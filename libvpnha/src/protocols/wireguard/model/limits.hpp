// SPDX-License-Identifier: GPL-2.0-or-later
// Bounds of WireGuard.
#pragma once

#include <chrono>
#include <cstddef>

namespace vpnha::limits {

// A preshared key of WireGuard: 32 octets and 40 of the seal; room for what is longer.
inline constexpr std::size_t kWireguardSealedKeyBytesMax = 128;
// Nets behind one peer of WireGuard: at 18 octets each they fit into a record of 8 KiB, and, at 32
// octets each, into one netlink message.
inline constexpr std::size_t kWireguardAllowedIpsMax = 256;
// Handshakes of WireGuard that are open after a takeover: half of what the kernel takes at once
// before it wants a cookie of each (512, drivers/net/wireguard/receive.c).
inline constexpr std::size_t kWireguardHandshakesMax = 256;
// A peer that has not answered then is not waited for: a round trip, and two that were lost.
inline constexpr std::chrono::seconds kWireguardHandshakeWait{1};
// Who has not answered for so long is tried once more, as a new peer: two round trips of a mobile
// network.
inline constexpr std::chrono::milliseconds kWireguardTryAgain{250};
// Peers of a reading that a keeper takes at once: ~1 us each.
inline constexpr std::size_t kWireguardPeersPerSlice = 512;

}  // namespace vpnha::limits
