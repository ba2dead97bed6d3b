// SPDX-License-Identifier: GPL-2.0-or-later
// The calls that a peer has begun in a tunnel since this node took it over. This side is their LNS
// (RFC 2661 7.4.2), and a pppd carries each. Calls from before are links (tunnel_links.hpp).
//
//   event \ stage     | none            | asked              | offered         | connected
//   ------------------+-----------------+--------------------+-----------------+--------------
//   ICRQ              | asked           | ignored            | ignored         | ignored
//   the owner accepts | -               | offered: ICRP      | -               | -
//   the owner refuses | -               | CDN without our id | -               | -
//   ICCN              | CDN             | ignored            | connected       | ignored
//   CDN of the peer   | ignored         | over               | over            | over
//   31 s pass         | -               | -                  | over: CDN       | -
//   the owner ends it | -               | -                  | over: CDN       | over: CDN
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::l2tp {

class TunnelCalls {
  public:
    enum class Stage { asked, offered, connected };
    struct Call {
        SessionKey key;
        Stage stage{};
        TimePoint until{};  // While it is offered.
    };

    // None of its ids may be in use. All calls belong to one tunnel.
    void add(const SessionKey& key, Stage stage);
    void offer(SessionId id, TimePoint until);
    void connect(SessionId id);
    void erase(SessionId id);
    // Removes and returns all calls.
    std::vector<SessionKey> clear();

    // nullptr: there is none.
    [[nodiscard]] const Call* find_own(SessionId id) const;
    [[nodiscard]] const Call* find_peers(SessionId peer_id) const;
    // Offered, and not connected in time.
    [[nodiscard]] const Call* first_overdue(TimePoint now) const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] bool empty() const { return calls_.empty(); }

  private:
    std::map<SessionId, Call> calls_;  // By our ids.
    std::map<SessionId, SessionId> by_peer_;
    std::set<std::pair<TimePoint, SessionId>> deadlines_;  // Of those that are offered.
};

}  // namespace vpnha::l2tp
