// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this machine's clock keeps within what the lease allows for. Promises are longer than a
// lease by the rate at which two clocks may differ (lease/timing.hpp): chrony may slew each of
// them. ntpd and systemd-timesyncd stay within the 500 ppm of adjtimex's frequency, far below.
#pragma once

#include <optional>
#include <string>

#include "adapters/os/chrony_conf.hpp"

namespace vpnha::runtime {

// For a human: what was found; empty without chrony. Error invalid_config says what to set where.
[[nodiscard]] Result<std::string> check_clock_rate(const std::optional<adapters::SlewLimit>& limit);
// Of this machine; passes on the errors of read_slew_limit().
[[nodiscard]] Result<std::string> check_clock_rate();

}  // namespace vpnha::runtime
