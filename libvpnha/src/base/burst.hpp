// SPDX-License-Identifier: GPL-2.0-or-later
// A bound for what is done again whenever somebody undoes it: `size` times at once, and then once
// in each interval. Without it two programs that disagree would keep a core busy each.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace vpnha {

class Burst {
  public:
    // `size` is at least 1.
    Burst(int size, Duration interval) : size_(size), interval_(interval) {}

    // False: not now; in an interval it is true again.
    [[nodiscard]] bool take(TimePoint now) {
        if (now + interval_ * (size_ - 1) < whole_at_) {
            return false;
        }
        whole_at_ = std::max(whole_at_, now) + interval_;
        return true;
    }

  private:
    int size_;
    Duration interval_;
    TimePoint whole_at_{};  // From then on `size_` at once again.
};

}  // namespace vpnha
