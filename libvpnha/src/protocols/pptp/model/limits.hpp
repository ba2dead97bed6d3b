// SPDX-License-Identifier: GPL-2.0-or-later
// Bounds of PPTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vpnha::limits {

// The two start keys of a PPTP call: 32 octets, 40 of the seal, and some reserve.
inline constexpr std::size_t kPptpSealedKeysBytesMax = 128;
// A message of PPTP's control connection; the longest of RFC 2637 has 168 octets.
inline constexpr std::size_t kPptpMessageBytesMax = 1024;
// How far a PPTP control connection may be ahead of its known numbers: echoes each minute.
inline constexpr std::uint32_t kPptpStreamLagMax = 16 * 1024;
// Read from a control connection before others have their turn: 32 of the shortest requests, each
// of which has a reply.
inline constexpr std::size_t kPptpControlOctetsAtOnce = 512;
// Packets that may have been sent after the last known number: 0.5 s of 100 000 a second.
inline constexpr std::uint32_t kPptpPacketsMissedMax = 65'536;
// Control messages and frames of a call that wait until its numbers are known.
inline constexpr std::size_t kPptpHeldBackMax = 16;

}  // namespace vpnha::limits
