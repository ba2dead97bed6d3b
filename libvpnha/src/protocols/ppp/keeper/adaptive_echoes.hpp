// SPDX-License-Identifier: GPL-2.0-or-later
// Resumed sessions with adaptive LCP echoes (pppd's lcp-echo-adaptive), and whether their peers
// have sent packets. The kernel carries these, and only the counters of a session's device show
// them. They are read twice in the shortest echo interval, and at most once a second. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "cluster/effects/effects.hpp"
#include "cluster/wire/record_key.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::keepers {

class AdaptiveEchoes {
  public:
    struct Session {
        wire::RecordKey record;
        Ipv4Address client;  // The address of its device's other end.
        Duration interval{};
    };

    // It was taken over. Without an interval no echo is sent, and it is left out.
    void watch(const Session& session, TimePoint now);
    // It is over, or no longer this node's.
    void forget(const wire::RecordKey& record) { sessions_.erase(record); }
    void clear() { sessions_.clear(); }

    // Those whose peers have sent packets since the last reading.
    [[nodiscard]] std::vector<wire::RecordKey> handle(const node::TrafficRead& read);
    // Requests a reading, if it is time for one.
    void ask(GatewayId gateway, TimePoint now, effects::Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Watched {
        Session session;
        std::optional<std::uint64_t> packets;  // At the last reading.
    };

    std::map<wire::RecordKey, Watched> sessions_;
    TimePoint ask_at_{};
};

}  // namespace vpnha::keepers
