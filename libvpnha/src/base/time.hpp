// SPDX-License-Identifier: GPL-2.0-or-later
// Time in the cores: passed in from outside, never read. The daemon passes CLOCK_BOOTTIME, the
// simulator its own.
#pragma once

#include <chrono>
#include <optional>

namespace vpnha {

using Duration = std::chrono::nanoseconds;

// Names the time line of TimePoint; it has no now(), so that no core can read it.
struct BootTimeline {};

using TimePoint = std::chrono::time_point<BootTimeline, Duration>;

// The earlier of two optional deadlines.
[[nodiscard]] inline std::optional<TimePoint> earliest(std::optional<TimePoint> a,
                                                       std::optional<TimePoint> b) {
    if (!a || (b && *b < *a)) {
        return b;
    }
    return a;
}

}  // namespace vpnha
