// SPDX-License-Identifier: GPL-2.0-or-later
#include "keeper.hpp"

namespace vpnha::keeper {

Next Keeper::on_death(TimePoint started, TimePoint now) {
    ++restarts_;
    deaths_.push_back(now);
    if (deaths_.size() > kLoopDeaths) {
        deaths_.erase(deaths_.begin());
    }
    const bool is_loop = deaths_.size() == kLoopDeaths && now - deaths_.front() <= kLoopWindow;
    const bool is_on_probation = on_probation_until_ && now < *on_probation_until_;
    if (is_loop || is_on_probation || second_chance_at_) {
        second_chance_at_ = now + kVotesOnlyFor;
        on_probation_until_.reset();
    }
    return {now - started < kShortLife ? kPause : Duration{}, second_chance_at_.has_value()};
}

Next Keeper::on_second_chance(TimePoint now) {
    second_chance_at_.reset();
    deaths_.clear();
    on_probation_until_ = now + kVotesOnlyFor;
    return {};
}

}  // namespace vpnha::keeper
