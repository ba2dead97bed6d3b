// SPDX-License-Identifier: GPL-2.0-or-later
// Bounds of L2TP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vpnha::limits {

// An L2TP control message fits into one datagram of an Ethernet path.
inline constexpr std::size_t kL2tpMessageBytesMax = 2048;
// AVPs of one control message: RFC 2661 defines 40; the rest is hostile.
inline constexpr std::size_t kL2tpAvpsMax = 64;
// Our control messages that wait for an acknowledgement on one tunnel; with more, a peer's requests
// are not answered. Ends of sessions are always sent: a LAC's tunnel may lose hundreds at once.
inline constexpr std::size_t kL2tpUnackedMax = 16;
// Our L2TP control messages in flight at once: the receive window of a peer that does not announce
// one (RFC 2661 4.4.3).
inline constexpr std::size_t kL2tpSendWindow = 4;
// RFC 2661 5.8: retransmitted after 1, 2, 4, 8, 8 s; 8 s after the last one the peer counts as
// dead, 31 s in all.
inline constexpr std::size_t kL2tpRetransmissionsMax = 5;
inline constexpr std::chrono::seconds kL2tpRetransmitFirst{1};
inline constexpr std::chrono::seconds kL2tpRetransmitMax{8};
// Messages of a peer that may be in flight unacknowledged when its gateway dies. xl2tpd offers a
// window of 4; a number further off than this is a forgery or a very old duplicate.
inline constexpr std::size_t kL2tpPeerWindowMax = 16;
// A suspicion is settled within this time: before the third SCCRQ of a client that starts anew
// (sent at 0, 1, 3, 7 s), so that this SCCRQ reaches the stock daemon.
inline constexpr std::chrono::milliseconds kL2tpSuspicionMax{2800};
// The interval of echoes within it: three attempts on a lossy path.
inline constexpr std::chrono::milliseconds kL2tpSuspicionEchoInterval{800};
// For so long after a settled suspicion, no other SCCRQ raises one, and the same SCCRQ only once. A
// forger costs each session at most 8 echoes in 10 s.
inline constexpr std::chrono::seconds kL2tpSuspicionPause{10};
// SCCRQs of one dial, without which a suspicion ends nothing. The distance between two of one dial:
// more than that of a packet and its copy, less than the 10 s between tolerated forgeries.
inline constexpr std::size_t kL2tpDialsMin = 2;
inline constexpr std::chrono::milliseconds kL2tpRedialMin{500};
inline constexpr std::chrono::seconds kL2tpRedialMax{9};
// After a refuted suspicion, the next one takes so many times as long to settle, for so long. A
// client that does start anew then reaches the stock daemon by its fifth SCCRQ, after 15 s.
inline constexpr int kL2tpSuspicionSlower = 3;
inline constexpr std::chrono::seconds kL2tpLieMemory{60};
// A call without an ICCN after its ICRP is given up: the peer has given up the tunnel by then.
inline constexpr std::chrono::seconds kL2tpCallMax{31};
// pppds that a gateway starts in a second for new calls of tunnels that were taken over. Each takes
// some 50 ms of a processor until its session is up.
inline constexpr std::uint32_t kL2tpCallsPerSecond = 20;
// New calls of a gateway whose pppd has not been started. The last one waits for 5 s, and the other
// side's first Configure-Requests get no answer. More calls are refused.
inline constexpr std::size_t kL2tpCallsWaitingMax = 100;
// Links of one tunnel that are due, or are probed in a suspicion, in one turn.
inline constexpr std::size_t kL2tpLinksPerTurn = 64;

}  // namespace vpnha::limits
