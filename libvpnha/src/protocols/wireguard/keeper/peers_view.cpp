// SPDX-License-Identifier: GPL-2.0-or-later
// The peers in `vpnha sessions` and `vpnha status`.
#include <algorithm>

#include "protocols/wireguard/keeper/peers.hpp"
#include "protocols/wireguard/model/key_text.hpp"

namespace vpnha::keepers {

using wire::RecordType;

SessionView WireguardPeers::view_of(const wire::RecordKey& record,
                                    const replica::StoredRecord& stored) const {
    SessionView view;
    view.record = record;
    view.protocol = "wireguard";
    view.epoch = stored.version.epoch;
    const auto key = wireguard::parse_key(record.id.view());
    if (const auto peer = key ? peer_of(*key) : std::nullopt) {
        view.user = wireguard::to_string(*key);
        view.peer = peer->endpoint ? to_string(*peer->endpoint) : "";
        const wireguard::PeerTraffic total = ledger_.total(*key);
        view.established_unix_ms = total.last_handshake_unix_ms;
        view.passed = Passed{"octets", total.octets_in, total.octets_out};
        for (const IpPrefix& net : peer->allowed) {
            if (view.address.empty() && net == host_prefix(net.address)) {
                view.address = to_string(net.address);
            } else {
                view.networks.push_back(to_string(net));
            }
        }
    }
    show_state(view, replica(), record, stored, refusals_,
               {.is_resumed = false, .not_ready = "not yet in this node's kernel"});
    return view;
}

std::vector<SessionView> WireguardPeers::sessions(const ListPart& part) const {
    std::vector<SessionView> views;
    for (const auto& [key, stored] :
         replica().store().some(RecordType::wireguard_peer, part.after, part.max)) {
        views.push_back(view_of(key, stored));
    }
    return views;
}

SessionTotals WireguardPeers::session_totals() const {
    std::size_t refused = 0;
    for (const auto& [key, why] : refusals_) {
        refused += key.type == RecordType::wireguard_peer ? 1 : 0;
    }
    return {replica().store().size_of(RecordType::wireguard_peer), refused};
}

Counts WireguardPeers::counts() const {
    return {{"wireguard_answered", tally_.answered},
            {"wireguard_unanswered", tally_.unanswered},
            {"wireguard_roamed", tally_.roamed},
            {"wireguard_tried_as_standby", tally_.tried_as_standby}};
}

Status WireguardPeers::status(TimePoint now) const {
    const std::uint64_t now_ms = gateway_.clock().at(now);
    return {{"wireguard/peers", replica().store().size_of(RecordType::wireguard_peer)},
            {"wireguard/active", ledger_.count_since(now_ms - std::min(now_ms, kSessionMs) + 1)},
            {"wireguard/waiting", queue_.waiting()}};
}

}  // namespace vpnha::keepers
