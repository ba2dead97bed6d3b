// SPDX-License-Identifier: GPL-2.0-or-later
// Every bound of the program in one place, with the arithmetic behind it. What happens at a bound is
// said where it is used.
#pragma once

#include <cstddef>

namespace vpnha::limits {

// A user name as PPP carries it (RFC 1994, 1 length octet).
inline constexpr std::size_t kUserNameBytesMax = 255;
// IFNAMSIZ less its terminator.
inline constexpr std::size_t kInterfaceNameBytesMax = 15;
// A gateway's name: fits into every log line, path and metric label.
inline constexpr std::size_t kGatewayNameBytesMax = 32;
// Gateways of one cluster: one octet on the wire, and the gate's array of deadlines.
inline constexpr std::size_t kGatewaysMax = 255;
// Records of one gateway. 100 000 sessions at <= 1 KiB each are 100 MB in user space.
inline constexpr std::size_t kRecordsPerGatewayMax = 100'000;
// A record's identity: the longest (L2TP) has 14 octets.
inline constexpr std::size_t kRecordIdBytesMax = 32;
// A record's payload; an L2TP session has ~100 octets and at most 255 of user name.
inline constexpr std::size_t kRecordPayloadBytesMax = 1024;
// One CPG message: an eighth of Corosync's largest, and ~1 ms of its throughput (88 MB/s), so that
// an urgent record never waits long behind a snapshot's chunk.
inline constexpr std::size_t kGroupMessageBytesMax = 64 * 1024;
// An L2TP control message fits into one datagram of an Ethernet path.
inline constexpr std::size_t kL2tpMessageBytesMax = 2048;
// AVPs of one control message: RFC 2661 defines 40; the rest is hostile.
inline constexpr std::size_t kL2tpAvpsMax = 64;
// Control messages of ours waiting for an acknowledgement on one tunnel (RFC 2661 5.8: the peer's
// receive window is at least 4). The tunnel is given up when more wait.
inline constexpr std::size_t kL2tpUnackedMax = 16;
// A PPP control packet on a channel.
inline constexpr std::size_t kPppFrameBytesMax = 2048;
// A message of the pppd plugin.
inline constexpr std::size_t kPluginMessageBytesMax = 2048;
// One request or answer on the control socket; 10 000 sessions as JSON have 5 MB.
inline constexpr std::size_t kControlMessageBytesMax = 64 * 1024 * 1024;
// JSON nests three deep in our requests.
inline constexpr std::size_t kControlJsonDepthMax = 16;
// Connections at the control socket at once: agents, CLIs, a monitor.
inline constexpr std::size_t kControlClientsMax = 64;

}  // namespace vpnha::limits
