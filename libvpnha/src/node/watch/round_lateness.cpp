// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/watch/round_lateness.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::node {

namespace {

std::int64_t hour_of(TimePoint now) {
    return std::chrono::floor<std::chrono::hours>(now.time_since_epoch()).count();
}

}  // namespace

void RoundLateness::note(Duration late, TimePoint now) {
    const auto bound = std::ranges::lower_bound(kBounds, late);
    ++counts_.at(static_cast<std::size_t>(bound - kBounds.begin()));
    sum_ += late;
    const std::int64_t number = hour_of(now);
    Hour& hour = hours_.at(static_cast<std::size_t>(number) % hours_.size());
    if (hour.number != number) {
        hour = {number, {}};
    }
    hour.worst = std::max(hour.worst, late);
    worst_unsaid_ = std::max(worst_unsaid_, late);
}

bool RoundLateness::warns(Duration limit, TimePoint now) {
    const bool is_late = std::exchange(worst_unsaid_, Duration{}) > limit;
    if (!is_late || now < silent_until_) {
        return false;
    }
    silent_until_ = now + std::chrono::hours(1);
    return true;
}

Duration RoundLateness::worst_of_day(TimePoint now) const {
    const std::int64_t oldest = hour_of(now) - static_cast<std::int64_t>(hours_.size());
    Duration worst{};
    for (const Hour& hour : hours_) {
        worst = hour.number > oldest ? std::max(worst, hour.worst) : worst;
    }
    return worst;
}

}  // namespace vpnha::node
