// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/clock_rate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "cluster/lease/timing.hpp"
#include "host/os/chrony_conf.hpp"

namespace vpnha::runtime {

Result<std::string> check_clock_rate(std::int64_t rate_ppm, const std::string& chrony_conf) {
    VPNHA_TRY(const std::optional<adapters::SlewLimit> limit,
              adapters::read_slew_limit(chrony_conf));
    if (!limit) {
        return {};
    }
    const auto ppm = static_cast<std::int64_t>(std::ceil(limit->ppm));
    const std::int64_t ppm_max = lease::slew_ppm_for(rate_ppm);
    if (ppm > ppm_max) {
        const std::string wanted =
            limit->where.empty() ? fmt::format("append the line 'maxslewrate {}' to it", ppm_max)
                                 : fmt::format("write 'maxslewrate {}' there", ppm_max);
        return fail(Errc::invalid_config,
                    fmt::format("{}: chrony may slew the clock by {} ppm{}, and a lease with "
                                "'clock_rate_ppm = {}' holds against {} ppm: {} on every node and "
                                "restart chrony, or set 'clock_rate_ppm = {}' in [lease] of "
                                "vpnha.toml on every node, which makes a takeover slower",
                                limit->where.empty() ? chrony_conf : limit->where, ppm,
                                limit->where.empty() ? ", its default" : "", rate_ppm, ppm_max,
                                wanted, lease::rate_ppm_for(ppm)));
    }
    return fmt::format("chrony slews it by {} ppm at most; the lease holds against {} ppm", ppm,
                       ppm_max);
}

Result<std::string> check_clock_rate(std::int64_t rate_ppm) {
    for (const char* path : adapters::kChronyConfs) {
        VPNHA_TRY(std::string found, check_clock_rate(rate_ppm, path));
        if (!found.empty()) {
            return found;
        }
    }
    return {};
}

}  // namespace vpnha::runtime
