// SPDX-License-Identifier: GPL-2.0-or-later
// A bound for repairs that another program undoes: `size` times at once, and then once in each
// interval. Without it two programs that disagree would keep a core busy each.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace vpnha {

class Burst {
  public:
    // `size` is at least 1.
    Burst(int size, Duration interval) : size_(size), interval_(interval) {}

    // One each 1 / `count` of a second; `count` is at least 1.
    [[nodiscard]] static Burst per_second(std::uint32_t count) {
        return {1, Duration(std::chrono::seconds(1)) / count};
    }

    // When take() is true again; in the past: now.
    [[nodiscard]] TimePoint next() const { return whole_at_ - interval_ * (size_ - 1); }
    // How many may be taken at once.
    [[nodiscard]] int left(TimePoint now) const {
        return now >= whole_at_
                   ? size_
                   : size_ -
                         static_cast<int>((whole_at_ - now + interval_ - Duration(1)) / interval_);
    }
    // So many were done; at most left().
    void spend(int count, TimePoint now) {
        whole_at_ = std::max(whole_at_, now) + interval_ * count;
    }
    [[nodiscard]] bool take(TimePoint now) {
        if (now < next()) {
            return false;
        }
        spend(1, now);
        return true;
    }

  private:
    int size_;
    Duration interval_;
    TimePoint whole_at_{};  // From then on `size_` at once again.
};

}  // namespace vpnha
