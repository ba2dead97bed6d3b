// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/tunnel_links.hpp"

namespace vpnha::l2tp {

TunnelLinks::Place TunnelLinks::visit(Place place) {
    visits_ += place == links_.end() ? 0 : 1;
    return place;
}

std::pair<TunnelLinks::Place, bool> TunnelLinks::add(const SessionKey& key,
                                                     ppp::LinkEndpoint endpoint) {
    const auto added = links_.try_emplace(key, Link{std::move(endpoint), 0, {}});
    if (added.second) {
        by_peer_.emplace(key.peer_id, key);
    }
    return added;
}

void TunnelLinks::erase(Place place) {
    unschedule(place);
    by_peer_.erase({place->first.peer_id, place->first});
    links_.erase(place);
}

void TunnelLinks::clear() {
    links_.clear();
    by_peer_.clear();
    deadlines_.clear();
}

TunnelLinks::Place TunnelLinks::find_own(const TunnelKey& tunnel, SessionId id) {
    const Place place = links_.lower_bound({tunnel, id, SessionId{}});
    return visit(place != links_.end() && place->first.id == id ? place : links_.end());
}

TunnelLinks::Place TunnelLinks::find_peers(SessionId peer_id) {
    const auto place = by_peer_.lower_bound({peer_id, SessionKey{}});
    return place != by_peer_.end() && place->first == peer_id ? find(place->second) : end();
}

TunnelLinks::Place TunnelLinks::first_due(TimePoint now) {
    return deadlines_.empty() || deadlines_.begin()->first > now ? end()
                                                                 : find(deadlines_.begin()->second);
}

void TunnelLinks::schedule(Place place) {
    const std::optional<TimePoint> at = place->second.endpoint.next_deadline();
    if (at == place->second.scheduled) {
        return;
    }
    unschedule(place);
    if (at) {
        deadlines_.emplace(*at, place->first);
    }
    place->second.scheduled = at;
}

void TunnelLinks::unschedule(Place place) {
    if (place->second.scheduled) {
        deadlines_.erase({*place->second.scheduled, place->first});
    }
}

std::optional<TimePoint> TunnelLinks::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

}  // namespace vpnha::l2tp
