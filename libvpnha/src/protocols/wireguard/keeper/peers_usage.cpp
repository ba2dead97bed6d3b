// SPDX-License-Identifier: GPL-2.0-or-later
// The usage of the peers: their records and accounts. A session of a peer lasts from a handshake
// until its keys are too old, and nobody tries to make new ones any more.
#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "protocols/wireguard/keeper/peers.hpp"
#include "protocols/wireguard/model/key_text.hpp"

namespace vpnha::keepers {

namespace {

// REKEY_ATTEMPT_TIME of the protocol: how long a handshake is tried. A client's keys may expire
// between two keepalives, and the new ones follow some seconds later.
constexpr std::uint64_t kTriedMs = 90'000;

Usage usage_of(const wireguard::Peer& peer, const Traffic& passed) {
    Usage usage{.session = node::peer_record_of(peer.key),
                .user = wireguard::to_string(peer.key),
                .address = std::nullopt,
                .peer = peer.endpoint ? peer.endpoint->address : IpAddress(),
                .passed = passed};
    const auto host = std::ranges::find_if(peer.allowed, [](const IpPrefix& net) {
        return net.address.is_v4() && net == host_prefix(net.address);
    });
    if (host != peer.allowed.end()) {
        usage.address = host->address.v4();
    }
    return usage;
}

}  // namespace

bool WireguardPeers::lives(const wire::RecordKey& session, TimePoint now) const {
    const auto key = wireguard::parse_key(session.id.view());
    return key && ledger_.total(*key).last_handshake_unix_ms + kSessionMs + kTriedMs >
                      gateway_.clock().at(now);
}

void WireguardPeers::publish_traffic(TimePoint now, Effects& effects) {
    if (!publish_at_ || now < *publish_at_) {
        return;
    }
    if (replica().promoted()) {
        for (const Key& key : ledger_.take_changed(limits::kAccountsPerTurn)) {
            const Traffic passed = ledger_.take_passed(key);
            if (const auto peer = peer_of(key)) {
                (void)replica().publish(node::traffic_record_of(key),
                                        wireguard::encode_traffic(ledger_.total(key)));
                if (lives(node::peer_record_of(key), now)) {
                    gateway_.report_usage(usage_of(*peer, passed), now, effects);
                }
            }
        }
    }
    publish_at_ =
        now + (replica().promoted() && ledger_.has_changed() ? Duration(limits::kAccountTurn)
                                                             : Duration(limits::kTrafficPause));
}

}  // namespace vpnha::keepers
