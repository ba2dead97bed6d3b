// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated state of one WireGuard peer, in two records of one identity, its public key. The
// record that another node needs to shake hands with the peer is sent at once. The peer's traffic
// is sent in batches.
//
// It has no session key: the kernel exports none. A node with the gateway's private key makes new
// ones with each peer, in one round trip.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::wireguard {

inline constexpr std::size_t kKeyBytes = 32;  // WG_KEY_LEN

struct PublicKey {
    std::array<std::uint8_t, kKeyBytes> octets{};
    friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// Another node can send there. A link-local address is not reachable from another node's link.
[[nodiscard]] bool is_reachable(const Endpoint& endpoint);

struct Peer {
    PublicKey key;
    Bytes sealed_preshared{};         // In the context seal_context(); empty: it has none.
    std::vector<IpPrefix> allowed{};  // In order, each once, without bits beyond the length.
    std::optional<Endpoint> endpoint{};
    std::uint16_t keepalive_s = 0;  // As configured; 0: off.
    friend bool operator==(const Peer&, const Peer&) = default;
};

// The traffic of a peer on all nodes so far.
struct PeerTraffic {
    std::uint64_t last_handshake_unix_ms = 0;  // By the gateway's clock; 0: none yet.
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
    friend bool operator==(const PeerTraffic&, const PeerTraffic&) = default;
};

// The kernel's state of one peer. Its counters begin at 0 when the peer is added, and it notes
// handshakes by its own clock.
struct PeerState {
    PublicKey key;
    std::optional<Endpoint> endpoint;
    PeerTraffic traffic;
    friend bool operator==(const PeerState&, const PeerState&) = default;
};

// In the form that a peer has: in order, each once, masked.
[[nodiscard]] std::vector<IpPrefix> in_order(std::vector<IpPrefix> allowed);

// A sealed preshared key opens only together with its peer.
[[nodiscard]] Bytes seal_context(const PublicKey& key);

// The identity of both records; at most limits::kRecordIdBytesMax octets.
[[nodiscard]] Bytes encode_key(const PublicKey& key);
[[nodiscard]] Result<PublicKey> parse_key(ByteView id);

// Wire format v1, docs/reference/wire-format.md. A record that parses is also sane: allowed IPs are
// in order, the endpoint is reachable.
[[nodiscard]] Bytes encode_peer(const Peer& peer);
[[nodiscard]] Result<Peer> parse_peer(ByteView id, ByteView payload);
[[nodiscard]] Bytes encode_traffic(const PeerTraffic& traffic);
[[nodiscard]] Result<PeerTraffic> parse_traffic(ByteView payload);

[[nodiscard]] std::string to_string(const Endpoint& endpoint);  // "[2001:db8::51]:51820"

}  // namespace vpnha::wireguard
