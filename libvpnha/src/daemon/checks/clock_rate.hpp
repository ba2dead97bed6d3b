// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this machine's clock keeps within what the lease allows for. Promises are longer than a
// lease by the rate at which two clocks may differ (cluster/lease/timing.hpp): chrony may slew each
// of them. ntpd and systemd-timesyncd stay within 500 ppm (MAXFREQ of the kernel's ntp.c).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::runtime {

// Of this machine, against ρ in ppm. For a human: what was found; empty without chrony. Errors:
// those of read_slew_limit(); invalid_config, with file, line, and what to write where.
[[nodiscard]] Result<std::string> check_clock_rate(std::int64_t rate_ppm);
// The same of a chrony that is configured by that file.
[[nodiscard]] Result<std::string> check_clock_rate(std::int64_t rate_ppm,
                                                   const std::string& chrony_conf);

}  // namespace vpnha::runtime
