// SPDX-License-Identifier: GPL-2.0-or-later
// Session-Timeout and Idle-Timeout of the sessions that a node has taken over; pppd handles those
// of a stock session. Pure.
//
// A session's time is counted from the begin in its record, by the gateway's clock. So it is the
// same over any number of failovers, whatever the nodes' own clocks are. The counters of the
// session's device show whether it is idle. No node knows when a lost node saw its last packet, so
// idleness counts from the takeover at the earliest. It comes with a reading (node::TrafficRead),
// which is requested each kPause while a session may have to end. More frequent readings of others
// do not end it sooner.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/accounting.hpp"
#include "base/time.hpp"
#include "cluster/effects/effects.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/ppp/model/timeouts.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::keepers {

class Timeouts {
  public:
    // The pause between readings of the counters: an idle session may end so much later.
    static constexpr Duration kPause = std::chrono::seconds(10);
    // So many of the sessions that end at the same moment do so before others have their turn.
    static constexpr std::size_t kPerTurn = 64;

    struct Session {
        wire::RecordKey record;
        ppp::Timeouts timeouts;
        TimePoint began{};
        Ipv4Address client;  // The address of its device's other end.
    };
    // A session that has to end now; nothing more is reported about it.
    struct Due {
        wire::RecordKey record;
        EndCause cause{};
        std::string_view reason;  // For the log.
    };

    // It was taken over, or its time-outs changed. A session without time-outs is left out.
    void watch(const Session& session, TimePoint now);
    // It is over, or no longer this node's.
    void forget(const wire::RecordKey& record) { sessions_.erase(record); }
    void clear() { sessions_.clear(); }

    void handle(const node::TrafficRead& read, TimePoint now);
    // At most kPerTurn.
    [[nodiscard]] std::vector<Due> take_due(TimePoint now);
    // Requests a reading, if it is time for one.
    void ask(GatewayId gateway, TimePoint now, effects::Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Watched {
        Session session;
        std::optional<Traffic> counted;  // At the last reading.
        TimePoint active_at;             // No later packet is known.
        std::optional<TimePoint> ends_at;
        EndCause cause{};  // Of the end.
    };

    void look_at_idleness(Watched& watched, const Traffic* counted, TimePoint now);

    std::map<wire::RecordKey, Watched> sessions_;
    TimePoint ask_at_{};
    bool is_awaited_ = false;            // A reading that was requested.
    std::optional<TimePoint> next_end_;  // None ends before.
};

}  // namespace vpnha::keepers
