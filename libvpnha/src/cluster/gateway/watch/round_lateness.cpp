// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/round_lateness.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::node {

void RoundLateness::note(Duration late, TimePoint now) {
    histogram_.note(late);
    day_.note(late, now);
    worst_unsent_ = std::max(worst_unsent_, late);
}

bool RoundLateness::warns(Duration limit, TimePoint now) {
    const bool is_late = std::exchange(worst_unsent_, Duration{}) > limit;
    if (!is_late || now < silent_until_) {
        return false;
    }
    silent_until_ = now + std::chrono::hours(1);
    return true;
}

}  // namespace vpnha::node
