// SPDX-License-Identifier: GPL-2.0-or-later
// What a takeover waits for until the keepers have done it: counters that are warm, daemons that
// have changed their role, and the last counters for a successor. Pure.
//
// The counters of a gateway go from one holder to the next, and no number is used twice:
//
//   the holder       reads them, and says them as records; when the standbys have confirmed a
//                    reading, each of its rounds names it (lease::Checkpoint)
//   hands over       its gate is shut; it reads them once more, says them, and answers the
//                    successor when CPG has brought that back, or after kLastCountersWait
//   the next holder  takes the margin of its grant for as much as it holds of the records that the
//                    margin counts from, and has them warm before its gate opens
//
// A gateway whose keepers have no counters waits for nothing.
#pragma once

#include <optional>
#include <vector>

#include "cluster/gateway/keeper_list.hpp"
#include "cluster/gateway/lease/grants.hpp"
#include "cluster/gateway/readings.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/replica/replica.hpp"

namespace vpnha::node {

class KeeperSteps {
  public:
    // The parts of the gateway that the steps are about. They outlive this.
    struct Parts {
        KeeperList& keepers;
        replica::Replica& replica;
        lease::Engine& lease;
        const Grants& grants;
    };
    explicit KeeperSteps(const Parts& parts) : parts_(parts) {}

    // Step warm_counters.
    void begin_warming(TimePoint now) { warming_ = Warming{now, false}; }
    // To be called until it answers: whether they are warm. nullopt: there is still time.
    [[nodiscard]] std::optional<bool> warm(TimePoint now, Effects& effects);

    // Steps activate_services and deactivate_services; the answer as with warm().
    void begin_turning(TimePoint now);
    [[nodiscard]] std::optional<bool> turn(TimePoint now);

    // A successor waits for the last counters, which are read when the gate is shut: at `shut_at`;
    // nullopt: it is. False: there are none, and it is.
    [[nodiscard]] bool begin_handing_over(std::optional<TimePoint> shut_at, TimePoint now,
                                          Effects& effects);
    [[nodiscard]] bool hands_over() const { return handing_over_.has_value(); }
    // To be called until it answers: from what the successor counts.
    [[nodiscard]] std::optional<lease::Checkpoint> hand_over(TimePoint now, Effects& effects);

    // After the replica has said what was due: tells the lease which reading the standbys hold.
    void note_counters();
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Warming {
        TimePoint since;
        bool begun = false;  // The keepers know.
    };
    struct HandingOver {
        TimePoint since;  // The gate is shut from then on.
        Epoch epoch;
        bool begun = false;                 // The keepers read them.
        std::optional<std::uint64_t> last;  // The sequence that has them.
    };
    // This replica has the records that the margin of the last grant counts from.
    [[nodiscard]] bool holds_margin() const;
    void read_last(TimePoint now, Effects& effects);
    void emit_margin(const std::optional<Duration>& run_on, TimePoint now);

    Parts parts_;
    std::optional<Warming> warming_;
    std::optional<TimePoint> turning_until_;
    std::optional<HandingOver> handing_over_;
    Readings readings_;
};

}  // namespace vpnha::node
