// SPDX-License-Identifier: GPL-2.0-or-later
// How late the rounds of a lease begin on this node: each is due a renewal interval after the one
// before. A holder whose round is later than the lease minus that interval has lapsed. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "base/histogram.hpp"
#include "base/time.hpp"
#include "cluster/gateway/watch/recent_worst.hpp"

namespace vpnha::node {

class RoundLateness {
  public:
    static constexpr std::array<Duration, 9> kBounds{
        std::chrono::milliseconds(1),   std::chrono::milliseconds(2),
        std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
        std::chrono::milliseconds(20),  std::chrono::milliseconds(50),
        std::chrono::milliseconds(100), std::chrono::milliseconds(200),
        std::chrono::milliseconds(500)};

    // A round that is due now or was due before; `late` is 0 or more.
    void note(Duration late, TimePoint now);

    // Of all rounds.
    [[nodiscard]] const Histogram<kBounds.size()>& histogram() const { return histogram_; }
    // Of the last 23 to 24 hours.
    [[nodiscard]] Duration worst_of_day(TimePoint now) const { return day_.worst(now); }

    // Whether a round was later than `limit` since the last call. True at most once an hour.
    [[nodiscard]] bool warns(Duration limit, TimePoint now);

  private:
    Histogram<kBounds.size()> histogram_{kBounds};
    RecentWorst<24> day_{std::chrono::hours(1)};
    Duration worst_unsent_{};
    TimePoint silent_until_{};
};

}  // namespace vpnha::node
