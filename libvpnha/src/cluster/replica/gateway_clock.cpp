// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/gateway_clock.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::replica {

namespace {

using std::chrono::milliseconds;

// Until the year 2109.
constexpr std::uint64_t kFarMs = std::uint64_t{1} << 42;
// How fast two nodes' CLOCK_BOOTTIME may drift apart (ppm): their kernels correct both.
constexpr std::int64_t kDriftPpm = 500;

Duration magnitude(Duration difference) {
    return difference < Duration{} ? -difference : difference;
}

Duration duration_of(std::uint64_t ms) {
    return milliseconds(std::min(ms, kFarMs));
}

std::uint64_t ms_of(Duration since_1970) {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(std::chrono::duration_cast<milliseconds>(since_1970).count(), 0));
}

}  // namespace

std::uint64_t GatewayClock::unix_ms(TimePoint at) const {
    return ms_of(at.time_since_epoch() + wall_);
}

std::uint64_t GatewayClock::at(TimePoint now) const {
    return ms_of(now.time_since_epoch() + ahead_.value_or(wall_));
}

TimePoint GatewayClock::when(std::uint64_t ms) const {
    return TimePoint(duration_of(ms) - ahead_.value_or(wall_));
}

void GatewayClock::serve(const Epoch& epoch, TimePoint now) {
    if (epoch_ == epoch && emit_again_at_) {
        return;
    }
    ahead_ = ahead_.value_or(wall_);
    epoch_ = epoch;
    emit_again_at_ = now;
    differences_ = {};
    is_astray_ = false;
}

void GatewayClock::handle(const wire::Clock& clock, bool serves, TimePoint now) {
    if (emit_again_at_ || clock.epoch < epoch_) {
        return;
    }
    Duration ahead = duration_of(clock.gateway_ms) - now.time_since_epoch();
    if (ahead_ && clock.epoch == epoch_) {
        // The message with the smaller delay counts; a drift is still followed.
        const Duration drift = (now - received_at_) / 1'000'000 * kDriftPpm;
        ahead = std::max(ahead, *ahead_ - drift);
    }
    ahead_ = ahead;
    epoch_ = clock.epoch;
    received_at_ = now;
    if (!serves) {
        return;
    }
    differences_ = {now.time_since_epoch() + wall_ - duration_of(clock.unix_ms), differences_[0]};
    if (differences_[1]) {
        const Duration bound =
            is_astray_ ? limits::kClockDifferenceMax / 2 : limits::kClockDifferenceMax;
        is_astray_ = magnitude(*difference()) > bound;
    }
}

std::optional<Duration> GatewayClock::difference() const {
    if (!differences_[0] || !differences_[1]) {
        return differences_[0];
    }
    return magnitude(*differences_[0]) < magnitude(*differences_[1]) ? differences_[0]
                                                                     : differences_[1];
}

std::optional<wire::Clock> GatewayClock::take_due(bool may_relay, TimePoint now) {
    const bool is_asked = std::exchange(is_due_, false);
    const bool serves = emit_again_at_.has_value();
    if (serves ? !is_asked && *emit_again_at_ > now : !is_asked || !may_relay || !ahead_) {
        return std::nullopt;
    }
    if (serves) {
        emit_again_at_ = now + limits::kDigestInterval;
    }
    return wire::Clock{gateway_, epoch_, at(now), ms_of(now.time_since_epoch() + wall_)};
}

}  // namespace vpnha::replica
