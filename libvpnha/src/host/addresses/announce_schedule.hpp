// SPDX-License-Identifier: GPL-2.0-or-later
// The times at which an address is announced: at once, and 0.1, 1, 3 and 10 s later. A switch that
// learns late, or a neighbour that missed the first frames, must not wait for its cache to age. The
// same again whenever the link comes back. Pure.
//
//   state \ event | restart          | pause     | on_sent
//   --------------+------------------+-----------+-------------------------------
//   quiet         | announcing       | quiet     | XXX
//   announcing    | from the start   | quiet     | announcing, quiet after the last
//
// A link that flaps makes bursts no more frequent than kBurstsPerSecondMax.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "base/time.hpp"

namespace vpnha::adapters {

class AnnounceSchedule {
  public:
    // 64 addresses at two frames each: 384 frames a second at most, 0.3 % of a gigabit.
    static constexpr std::size_t kBurstsPerSecondMax = 3;

    void restart(TimePoint now);
    void pause();
    // The time of the next burst; nullopt when there is none to come.
    [[nodiscard]] std::optional<TimePoint> due() const;
    void on_sent(TimePoint now);

  private:
    static constexpr std::array<std::chrono::milliseconds, 5> kOffsets{
        std::chrono::milliseconds(0), std::chrono::milliseconds(100),
        std::chrono::milliseconds(1000), std::chrono::milliseconds(3000),
        std::chrono::milliseconds(10000)};

    TimePoint base_{};
    std::size_t next_ = kOffsets.size();
    // Of the last bursts, as a ring: the next one replaces the oldest.
    std::array<std::optional<TimePoint>, kBurstsPerSecondMax> sent_{};
    std::size_t oldest_ = 0;
};

}  // namespace vpnha::adapters
