// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated state of one L2TPv2 session with its PPP link. Another node continues it from
// this, without a packet to the client. It is static from ip-up to ip-down, so it is sent once.
//
// It omits Ns/Nr of the control channel, which are learned from the peer in one round trip
// (control_channel.hpp). It omits the kernel's counters, because nothing depends on them. It omits
// the data sequence numbers, which cannot be restored: the resumed side sends without them, as an
// LNS may (RFC 2661 4.3).
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::l2tp {

// A tunnel between one node of the cluster and one peer.
struct TunnelKey {
    Ipv4Endpoint local;  // The VIP and the port clients dial (1701).
    Ipv4Endpoint peer;
    TunnelId id{};       // Ours: the peer writes it into its packets.
    TunnelId peer_id{};  // The peer's: we write it into our packets.
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
    ppp::SessionFacts facts;
    friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

// The record's identity in the replica; at most limits::kRecordIdBytesMax octets.
[[nodiscard]] Bytes encode_key(const SessionKey& key);
[[nodiscard]] Result<SessionKey> parse_key(ByteView bytes);
// The ids from pppd's plugin (docs/reference/plugin-protocol.md), which does not know this end of
// the tunnel.
[[nodiscard]] Result<SessionKey> parse_plugin_ids(ByteView ids, const Ipv4Endpoint& local);

// Wire format v1, docs/reference/wire-format.md. A record that parses is also sane: no id is 0,
// addresses are unicast, and so are its facts.
[[nodiscard]] Bytes encode_record(const SessionRecord& record);
[[nodiscard]] Result<SessionRecord> parse_record(ByteView bytes);

// The same checks for a record from another source (the plugin).
[[nodiscard]] Result<void> validate(const SessionRecord& record);

[[nodiscard]] std::string to_string(const SessionKey& key);  // "192.0.2.51:1701 tunnel 4711/12 …"

}  // namespace vpnha::l2tp
