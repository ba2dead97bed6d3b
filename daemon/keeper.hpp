// SPDX-License-Identifier: GPL-2.0-or-later
// When a vpnhad that has died is restarted, and what the next one may do. Pure: keep_vpnhad.cpp
// starts the processes and has the clock.
//
//   who died            | the next one        | it begins
//   --------------------+---------------------+------------------------------------------------
//   had lived kShortLife| takes part          | at once: its vote is missing
//   had not             | takes part          | after kPause: the cause at the start may recur
//   the last one of     | only votes, until   | the same
//   kLoopDeaths within  | kVotesOnlyFor after |
//   kLoopWindow         | the last death      |
//   within kVotesOnlyFor| only votes, anew    | the same
//   of its second chance|                     |
//
// Pacemaker decides whether it "takes part": a restarted vpnhad only votes until Pacemaker has
// stopped and started its gateways. One that only votes refuses that.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"

namespace vpnha::keeper {

// A record that kills vpnhad comes back with the records of the next start: 17 to 20 s after the
// previous death (the template's failure-timeout of 15 s, the recheck after it, and the start).
// Three such deaths are within a minute. Two might be a fault and an administrator's kill.
inline constexpr std::size_t kLoopDeaths = 3;
inline constexpr Duration kLoopWindow = std::chrono::seconds(60);
// Each second chance may cost the node's vote for another second.
inline constexpr Duration kVotesOnlyFor = std::chrono::minutes(10);
inline constexpr Duration kShortLife = std::chrono::seconds(1);
inline constexpr Duration kPause = std::chrono::seconds(1);

struct Next {
    Duration pause{};  // Before it is started.
    bool votes_only = false;
    friend bool operator==(const Next&, const Next&) = default;
};

class Keeper {
  public:
    // The vpnhad that was started then has died now.
    [[nodiscard]] Next on_death(TimePoint started, TimePoint now);
    // When a vpnhad that only votes has to end, and one that takes part to be started.
    [[nodiscard]] std::optional<TimePoint> second_chance_at() const { return second_chance_at_; }
    [[nodiscard]] Next on_second_chance(TimePoint now);
    // How often a vpnhad was started because the previous one had died.
    [[nodiscard]] unsigned restarts() const { return restarts_; }

  private:
    unsigned restarts_ = 0;
    std::vector<TimePoint> deaths_;                // The last ones, kLoopDeaths at most.
    std::optional<TimePoint> second_chance_at_;    // Only votes until then.
    std::optional<TimePoint> on_probation_until_;  // After one more death it only votes.
};

}  // namespace vpnha::keeper
