// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this machine's clock stays within the lease's tolerance. Promises are longer than a lease
// by the rate at which two clocks may differ (cluster/lease/timing.hpp): chrony may slew each of
// them. ntpd and systemd-timesyncd stay within 500 ppm (MAXFREQ of the kernel's ntp.c).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::runtime {

// For this machine, against ρ in ppm. Returns the finding as text for a human; empty without
// chrony. Errors: those of read_slew_limit(); invalid_config, with file, line, and the remedy.
[[nodiscard]] Result<std::string> check_clock_rate(std::int64_t rate_ppm);
// The same for a chrony that is configured by that file.
[[nodiscard]] Result<std::string> check_clock_rate(std::int64_t rate_ppm,
                                                   const std::string& chrony_conf);

}  // namespace vpnha::runtime
