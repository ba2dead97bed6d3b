// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::lease {

namespace {

using std::chrono::milliseconds;

// Below these a busy machine loses its lease by its own scheduling.
constexpr milliseconds kLeaseMin{50};
constexpr milliseconds kGrainMin{10};
constexpr std::int64_t kMillion = 1'000'000;
// Between two questions it must become visible that a host stood still as a whole. A loop that is
// punctual enough for a short lease is so for short pauses.
constexpr int kAsksPerLease = 12;
constexpr milliseconds kAskMin{10};
constexpr milliseconds kAskMax{25};

std::int64_t ms(Duration time) {
    return std::chrono::duration_cast<milliseconds>(time).count();
}

}  // namespace

Timing Timing::sized(Duration to) const {
    Timing sized = *this;
    sized.lease = to;
    sized.renew = to / 4;
    sized.ask = std::clamp<Duration>(to / kAsksPerLease, kAskMin, kAskMax);
    sized.punctual = sized.ask * 4 / 5;
    return sized;
}

Result<void> Timing::validate() const {
    if (lease < kLeaseMin || lease > lease_max) {
        return fail(Errc::invalid_config, fmt::format("a lease of {} ms; it lasts {} to {} ms",
                                                      ms(lease), kLeaseMin.count(), ms(lease_max)));
    }
    // One lost round must not cost the lease.
    if (renew * 2 >= lease || renew * kRenewalsPerLeaseMax < lease) {
        return fail(
            Errc::invalid_config,
            fmt::format("a renewal every {} ms; with a lease of {} ms it must be less than "
                        "{} ms, and at least {} ms",
                        ms(renew), ms(lease), ms(lease / 2), ms(lease / kRenewalsPerLeaseMax)));
    }
    if (rate_ppm < 0 || rate_ppm > kMillion) {
        return fail(Errc::invalid_config,
                    fmt::format("a clock rate bound of {} ppm; it is 0 to {}", rate_ppm, kMillion));
    }
    if (grain < kGrainMin) {
        return fail(Errc::invalid_config, fmt::format("a grain of {} ms; it is {} ms or more",
                                                      ms(grain), kGrainMin.count()));
    }
    if (draining <= Duration::zero() || absence <= Duration::zero()) {
        return fail(Errc::invalid_config,
                    "the times to hand over and to miss a holder are above 0");
    }
    return {};
}

std::int64_t rate_ppm_for(std::int64_t slew_ppm) {
    // (1 + s) / (1 - s) - 1, rounded up.
    const std::int64_t slowest = kMillion - slew_ppm;
    return (2 * slew_ppm * kMillion + slowest - 1) / slowest;
}

std::int64_t slew_ppm_for(std::int64_t rate_ppm) {
    return kMillion * rate_ppm / (2 * kMillion + rate_ppm);
}

}  // namespace vpnha::lease
