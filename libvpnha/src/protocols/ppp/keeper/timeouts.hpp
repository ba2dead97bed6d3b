// SPDX-License-Identifier: GPL-2.0-or-later
// Session-Timeout and Idle-Timeout of the sessions that a node has taken over; of a stock session
// its pppd sees to them. Pure.
//
// A session's time is counted from the begin that its record has, by the gateway's clock. So it is
// the same over any number of failovers, whatever the nodes' own clocks are. What is idle shows in
// the counters of the session's device; nobody knows when a lost node saw its last packet, so
// idleness counts from the takeover at the earliest. It comes with a reading (node::TrafficRead),
// which is asked for each kPause while there is something to end. What others ask for more often is
// heeded no sooner.
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
    // The devices' counters are read so often: so much later than it could an idle session ends.
    static constexpr Duration kPause = std::chrono::seconds(10);
    // Of sessions that end at the same moment so many do, and then the others' turn comes.
    static constexpr std::size_t kPerTurn = 64;

    struct Session {
        wire::RecordKey record;
        ppp::Timeouts timeouts;
        TimePoint began{};
        Ipv4Address client;  // The address of its device's other end.
    };
    // A session that has to end now, and nothing more will be heard of it here.
    struct Due {
        wire::RecordKey record;
        EndCause cause{};
        std::string_view reason;  // For the log.
    };

    // It was taken over, or has others now. One without time-outs is left out.
    void watch(const Session& session, TimePoint now);
    // It is over, or no more this node's.
    void forget(const wire::RecordKey& record) { sessions_.erase(record); }
    void clear() { sessions_.clear(); }

    void hear(const node::TrafficRead& read, TimePoint now);
    // At most kPerTurn.
    [[nodiscard]] std::vector<Due> take_due(TimePoint now);
    // Asks for a reading, if it is time for one.
    void ask(GatewayId gateway, TimePoint now, effects::Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Watched {
        Session session;
        std::optional<Traffic> counted;  // At the last reading.
        TimePoint active_at;             // No later packet is known.
        std::optional<TimePoint> ends_at;
        EndCause cause{};  // Then.
    };

    void look_at_idleness(Watched& watched, const Traffic* counted, TimePoint now);

    std::map<wire::RecordKey, Watched> sessions_;
    TimePoint ask_at_{};
    bool is_awaited_ = false;            // A reading that was asked for.
    std::optional<TimePoint> next_end_;  // None ends before.
};

}  // namespace vpnha::keepers
