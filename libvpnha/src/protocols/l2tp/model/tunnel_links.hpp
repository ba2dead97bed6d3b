// SPDX-License-Identifier: GPL-2.0-or-later
// The links of a resumed tunnel, found by their ids and by their deadlines. A LAC's tunnel has
// thousands: no packet may cost a visit of all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/model/link_endpoint.hpp"

namespace vpnha::l2tp {

class TunnelLinks {
  public:
    struct Link {
        ppp::LinkEndpoint endpoint;
        std::uint32_t asked = 0;             // The last suspicion in which it was probed; 0: none.
        std::optional<TimePoint> scheduled;  // In deadlines_.
    };
    using Place = std::map<SessionKey, Link>::iterator;

    // No effect if it is there already. All links belong to one tunnel.
    std::pair<Place, bool> add(const SessionKey& key, ppp::LinkEndpoint endpoint);
    void erase(Place place);
    void clear();

    // end(), if there is none.
    [[nodiscard]] Place find(const SessionKey& key) { return visit(links_.find(key)); }
    [[nodiscard]] Place find_own(const TunnelKey& tunnel, SessionId id);
    [[nodiscard]] Place find_peers(SessionId peer_id);
    [[nodiscard]] Place first_due(TimePoint now);
    // The first whose key is not less, and the next of a place.
    [[nodiscard]] Place from(const SessionKey& key) { return visit(links_.lower_bound(key)); }
    [[nodiscard]] Place next(Place place) { return visit(std::next(place)); }
    [[nodiscard]] Place end() { return links_.end(); }

    // After each event of its endpoint.
    void schedule(Place place);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] bool empty() const { return links_.empty(); }
    // Links that were visited since the start: a measure of the cost of a packet.
    [[nodiscard]] std::uint64_t visits() const { return visits_; }

  private:
    Place visit(Place place);
    void unschedule(Place place);

    std::map<SessionKey, Link> links_;
    std::set<std::pair<SessionId, SessionKey>> by_peer_;
    std::set<std::pair<TimePoint, SessionKey>> deadlines_;
    std::uint64_t visits_ = 0;
};

}  // namespace vpnha::l2tp
