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
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocols/ppp/model/session_facts.hpp"

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
    ppp::SessionFacts facts;
    friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

// The record's identity in the replica; at most limits::kRecordIdBytesMax octets.
[[nodiscard]] Bytes encode_key(const SessionKey& key);
[[nodiscard]] Result<SessionKey> parse_key(ByteView bytes);
// As pppd's plugin has it (docs/reference/plugin-protocol.md), which does not know this end of the
// tunnel.
[[nodiscard]] Result<SessionKey> parse_plugin_ids(ByteView ids, const Ipv4Endpoint& local);

// Wire format v1, docs/reference/wire-format.md. A record that parses is also sane: no id is 0,
// addresses are unicast, and so are its facts.
[[nodiscard]] Bytes encode_record(const SessionRecord& record);
[[nodiscard]] Result<SessionRecord> parse_record(ByteView bytes);

// The same checks for a record that came another way (the plugin).
[[nodiscard]] Result<void> validate(const SessionRecord& record);

[[nodiscard]] std::string to_string(const SessionKey& key);  // "192.0.2.51:1701 tunnel 4711/12 …"

}  // namespace vpnha::l2tp
