// SPDX-License-Identifier: GPL-2.0-or-later
// The time that the cores are given: CLOCK_BOOTTIME, which nobody sets, and which goes on while the
// machine sleeps.
#pragma once

#include "base/time.hpp"

namespace vpnha::adapters {

[[nodiscard]] TimePoint boot_time();

}  // namespace vpnha::adapters
