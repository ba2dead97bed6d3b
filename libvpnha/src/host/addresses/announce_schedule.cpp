// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/announce_schedule.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vpnha::adapters {

void AnnounceSchedule::restart(TimePoint now) {
    base_ = now;
    next_ = 0;
}

void AnnounceSchedule::pause() {
    next_ = kOffsets.size();
}

std::optional<TimePoint> AnnounceSchedule::due() const {
    if (next_ == kOffsets.size()) {
        return std::nullopt;
    }
    const TimePoint wanted = base_ + kOffsets[next_];
    const auto& oldest = sent_[oldest_];
    return oldest ? std::max(wanted, *oldest + std::chrono::seconds(1)) : wanted;
}

void AnnounceSchedule::on_sent(TimePoint now) {
    VPNHA_ASSERT(next_ < kOffsets.size());
    sent_[oldest_] = now;
    oldest_ = (oldest_ + 1) % sent_.size();
    ++next_;
}

}  // namespace vpnha::adapters
