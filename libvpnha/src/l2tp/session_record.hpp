// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated state of one L2TPv2 session with its PPP link: all that another node needs to go
// on with it without a packet to the client. Static from ip-up to ip-down, so it is sent once.
//
// What is not in it, and why: Ns/Nr of the control channel (learned from the peer in one round
// trip, see control_channel.hpp), the kernel's counters (nothing depends on them), the data
// sequence numbers (cannot be restored; the resumed side sends without, as an LNS may, RFC
// 2661 4.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"
#include "ppp/link_options.hpp"
#include "ppp/proxied_address.hpp"
#include "ppp/timeouts.hpp"

namespace vpnha::l2tp {

// A tunnel as one node of the cluster speaks it with one peer.
struct TunnelKey {
    Ipv4Endpoint local;  // The VIP and the port clients dial (1701).
    Ipv4Endpoint peer;
    TunnelId id{};       // Ours: the peer writes it into what it sends.
    TunnelId peer_id{};  // The peer's: we write it into what we send.
    friend auto operator<=>(const TunnelKey&, const TunnelKey&) = default;
};

struct SessionKey {
    TunnelKey tunnel;
    SessionId id{};
    SessionId peer_id{};
    friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

struct SessionRecord {
    SessionKey key;
    ppp::LinkOptions ours;    // What we may be sent: pppd's lcp_gotoptions.
    ppp::LinkOptions theirs;  // What the peer may be sent: pppd's lcp_hisoptions.
    Ipv4Address our_address;  // IPCP (RFC 1332).
    Ipv4Address peer_address;
    std::uint16_t mtu = 1500;                  // Of the PPP device.
    std::optional<ppp::Ipv6Identifiers> ipv6;  // Where IPv6CP is open (RFC 5072).
    std::vector<IpPrefix> routes;  // Networks behind the peer, at most limits::kSessionRoutesMax.
    std::vector<ppp::ProxiedAddress> proxied;  // At most limits::kSessionProxiedMax.
    std::uint16_t echo_interval_s = 0;         // LCP echo as pppd was configured; 0: never.
    std::uint16_t echo_failures = 0;  // Unanswered echoes that end the session; 0: none do.
    // What the peer sends answers them: an echo is sent only after an interval without a packet.
    bool echo_is_adaptive = false;
    std::uint64_t established_unix_ms = 0;  // By the gateway's clock.
    ppp::Timeouts timeouts;
    // Why no other node can go on with it: who takes it over tells its client that it has ended.
    // Empty: others can. At most limits::kObstacleBytesMax octets.
    std::string obstacle{};
    std::string user;       // As authenticated; may be empty.
    std::string interface;  // Name at the node that negotiated it, for display only.
    friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

// The record's identity in the replica; at most limits::kRecordIdBytesMax octets.
[[nodiscard]] Bytes encode_key(const SessionKey& key);
[[nodiscard]] Result<SessionKey> parse_key(ByteView bytes);

// Wire format v1, docs/wire-format.md. A record that parses is also sane: no id is 0, the MRUs lie
// in 128..16384, the MTU in 68..16384, addresses are unicast, interface identifiers are two, routes
// have a length and no bits behind it.
[[nodiscard]] Bytes encode_record(const SessionRecord& record);
[[nodiscard]] Result<SessionRecord> parse_record(ByteView bytes);

// The same checks for a record that came another way (the plugin).
[[nodiscard]] Result<void> validate(const SessionRecord& record);

[[nodiscard]] std::string to_string(const SessionKey& key);  // "192.0.2.51:1701 tunnel 4711/12 …"

}  // namespace vpnha::l2tp
