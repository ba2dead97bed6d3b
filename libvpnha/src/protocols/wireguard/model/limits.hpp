// SPDX-License-Identifier: GPL-2.0-or-later
// Bounds of WireGuard.
#pragma once

#include <chrono>
#include <cstddef>

namespace vpnha::limits {

// A preshared key of WireGuard: 32 octets, 40 of the seal, and some reserve.
inline constexpr std::size_t kWireguardSealedKeyBytesMax = 128;
// Nets behind one peer of WireGuard: at 18 octets each they fit into a record of 8 KiB, and, at 32
// octets each, into one netlink message.
inline constexpr std::size_t kWireguardAllowedIpsMax = 256;
// Handshakes of WireGuard that are open after a takeover: half of what the kernel accepts at once
// before it requests a cookie of each (512, drivers/net/wireguard/receive.c).
inline constexpr std::size_t kWireguardHandshakesMax = 256;
// The wait for a peer's answer: one round trip, and two that were lost.
inline constexpr std::chrono::seconds kWireguardHandshakeWait{1};
// A peer to which the kernel has sent nothing for so long is tried once more, as a new peer.
inline constexpr std::chrono::milliseconds kWireguardTryAgain{250};
// The same for a peer that has not answered an initiation: a new peer does not know the answer that
// is still on its way. Two round trips of a mobile network.
inline constexpr std::chrono::milliseconds kWireguardAnswerWait{500};
// Peers of a reading that a keeper handles at once: ~1 us each.
inline constexpr std::size_t kWireguardPeersPerSlice = 512;

}  // namespace vpnha::limits
