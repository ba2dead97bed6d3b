// SPDX-License-Identifier: GPL-2.0-or-later
// Counts of measurements by bounds, as in Prometheus: one that equals a bound counts below it.
// Counts and sum only rise. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace vpnha {

template <std::size_t kBounds>
class Histogram {
  public:
    using Bounds = std::array<Duration, kBounds>;
    // The last entry counts those beyond all bounds.
    using Counts = std::array<std::uint64_t, kBounds + 1>;

    // `bounds` rise, and must outlive it.
    explicit constexpr Histogram(const Bounds& bounds) : bounds_(&bounds) {}

    void note(Duration measure) {
        const auto bound = std::ranges::lower_bound(*bounds_, measure);
        ++counts_.at(static_cast<std::size_t>(bound - bounds_->begin()));
        sum_ += measure;
    }
    [[nodiscard]] const Bounds& bounds() const { return *bounds_; }
    [[nodiscard]] const Counts& counts() const { return counts_; }
    [[nodiscard]] Duration sum() const { return sum_; }

  private:
    const Bounds* bounds_;
    Counts counts_{};
    Duration sum_{};
};

}  // namespace vpnha
