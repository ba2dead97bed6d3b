// SPDX-License-Identifier: GPL-2.0-or-later
// One connection as the kernel's tracking (nf_conntrack) knows it: two tuples, the changes by NAT,
// and what a node needs to resume it.
//
// A kernel's entry in another kernel (net/netfilter/nf_conntrack_netlink.c, 6.1):
//
//   tuples, zone, mark, labels, helper, sequence adjustments, parent   as they are
//   TCP: state, flags, window scales                                   as they are; the scales only
//                                                                      with both sides' flag
//   status: seen-reply, assured                                        as they are
//   status: confirmed                                                  must be set, is always
//   status: NAT, NAT done, expected, helper, sequence adjusted         follow from what is above;
//                                                                      cannot be set
//   NAT range                                                          kept by no kernel; it is
//                                                                      what the tuples differ in
//   TCP windows (last end, greatest window), counters, start time      not taken; windows are
//                                                                      learned from the next
//                                                                      packets
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ip.hpp"

namespace vpnha::conntrack {

// IANA protocol numbers with special handling here; others have addresses only.
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kDccp = 33;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kSctp = 132;
inline constexpr std::uint8_t kUdpLite = 136;

// One direction. The parts after the addresses depend on the protocol: ports (TCP, UDP, UDP-Lite,
// DCCP, SCTP), keys (GRE: call ids with the PPTP helper, otherwise 0), the identifier and type << 8
// | code (ICMP, ICMPv6), 0 (others).
struct Tuple {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_part = 0;
    std::uint16_t destination_part = 0;
    friend auto operator<=>(const Tuple&, const Tuple&) = default;
};

// The directions in which the zone counts: a ruleset may set it for one (`ct original zone`).
enum class ZoneScope : std::uint8_t { both = 0, original = 1, reply = 2 };

struct Zone {
    std::uint16_t id = 0;  // 0: the default zone; then the scope is `both`.
    ZoneScope scope = ZoneScope::both;
    friend auto operator<=>(const Zone&, const Zone&) = default;
};

// enum tcp_conntrack; the numbers are the kernel's, and records have them.
enum class TcpState : std::uint8_t {
    none = 0,
    syn_sent = 1,
    syn_received = 2,
    established = 3,
    fin_wait = 4,
    close_wait = 5,
    last_ack = 6,
    time_wait = 7,
    close = 8,
    syn_sent_2 = 9,
};

// IP_CT_TCP_FLAG_*. Only the first three are part of a record.
inline constexpr std::uint8_t kTcpWindowScale = 0x01;
inline constexpr std::uint8_t kTcpSackPermitted = 0x02;
inline constexpr std::uint8_t kTcpCloseInit = 0x04;
inline constexpr std::uint8_t kTcpLiberal = 0x08;
inline constexpr std::uint8_t kTcpRecordFlags = kTcpWindowScale | kTcpSackPermitted | kTcpCloseInit;

// Index 0 is the original direction, 1 the reply's.
struct Tcp {
    TcpState state = TcpState::none;
    std::array<std::uint8_t, 2> scale{};  // 0..14, RFC 7323.
    std::array<std::uint8_t, 2> flags{};
    friend bool operator==(const Tcp&, const Tcp&) = default;
};

// The change of sequence numbers by a helper that rewrote addresses in the payload (FTP, SIP).
struct SequenceAdjustment {
    std::uint32_t position = 0;
    std::int32_t before = 0;
    std::int32_t after = 0;
    friend bool operator==(const SequenceAdjustment&, const SequenceAdjustment&) = default;
};

// IPS_*. Only the first two are part of a record; a node interprets an entry by the others.
inline constexpr std::uint32_t kSeenReply = 1U << 1;
inline constexpr std::uint32_t kAssured = 1U << 2;
inline constexpr std::uint32_t kConfirmed = 1U << 3;
inline constexpr std::uint32_t kExpected = 1U << 0;
inline constexpr std::uint32_t kFixedTimeout = 1U << 10;
inline constexpr std::uint32_t kRecordStatus = kSeenReply | kAssured;

using Labels = std::array<std::uint8_t, 16>;

// What identifies a flow in a kernel.
struct FlowKey {
    std::uint8_t protocol = 0;
    Zone zone;
    Tuple original;
    friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

struct Flow {
    FlowKey key;
    Tuple reply;  // The inverse of key.original, except what NAT has changed.
    std::uint32_t status = 0;
    std::uint32_t timeout_s = 0;
    std::uint32_t mark = 0;
    std::optional<Tcp> tcp;
    std::optional<Labels> labels;  // Not all 0.
    std::string helper;            // At most limits::kHelperNameBytesMax; empty: none.
    std::array<std::optional<SequenceAdjustment>, 2> adjusted;  // Not all 0.
    // The flow whose helper expected this one (FTP's control connection of a data connection). In
    // the same zone.
    std::optional<FlowKey> parent;
    friend bool operator==(const Flow&, const Flow&) = default;
};

// A connection of TCP that both sides have begun and none has ended.
[[nodiscard]] inline bool is_established(const Flow& flow) {
    return flow.tcp && flow.tcp->state == TcpState::established;
}

// Whether tuples of this protocol have parts after their addresses.
[[nodiscard]] bool has_parts(std::uint8_t protocol);

// The tuple of its replies without NAT.
[[nodiscard]] Tuple invert(std::uint8_t protocol, const Tuple& tuple);

// "tcp 10.64.1.5:40000 > 203.0.113.9:443", followed by " zone 7" if it has one.
[[nodiscard]] std::string to_string(const FlowKey& key);

}  // namespace vpnha::conntrack
