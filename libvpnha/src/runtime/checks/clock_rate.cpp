// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/clock_rate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "lease/timing.hpp"

namespace vpnha::runtime {

namespace {

// The most that each of two clocks may be slewed by, in opposite directions, within a rate bound:
// s of rho = (1 + s) / (1 - s) - 1.
std::int64_t slew_ppm_for(std::int64_t rate_permille) {
    return 1'000'000 * rate_permille / (2000 + rate_permille);
}

}  // namespace

Result<std::string> check_clock_rate(const std::optional<adapters::SlewLimit>& limit) {
    if (!limit) {
        return {};
    }
    const auto ppm = static_cast<std::int64_t>(std::ceil(limit->ppm));
    const std::int64_t ppm_max = slew_ppm_for(lease::Timing{}.rate_permille);
    if (ppm > ppm_max) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: maxslewrate lets chrony slew the clock by {} ppm; a lease "
                                "holds against {} ppm: set maxslewrate 83333, chrony's default, or "
                                "less, on every node",
                                limit->where, ppm, ppm_max));
    }
    return fmt::format("chrony slews it by {} ppm at most; the lease bears {} ppm", ppm, ppm_max);
}

Result<std::string> check_clock_rate() {
    for (const char* path : adapters::kChronyConfs) {
        VPNHA_TRY(const std::optional<adapters::SlewLimit> limit, adapters::read_slew_limit(path));
        if (limit) {
            return check_clock_rate(limit);
        }
    }
    return {};
}

}  // namespace vpnha::runtime
