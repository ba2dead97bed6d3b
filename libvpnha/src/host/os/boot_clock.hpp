// SPDX-License-Identifier: GPL-2.0-or-later
// The clock of the cores: CLOCK_BOOTTIME, which nobody sets, and which continues while the machine
// sleeps.
#pragma once

#include <string>

#include "base/time.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

[[nodiscard]] TimePoint boot_time();

// Unix time less boot_time(), as this machine's clock stands now.
[[nodiscard]] Duration wall_offset();

// Error unsupported: this process has another CLOCK_BOOTTIME than the kernel, because its time
// namespace has an offset (time_namespaces(7)). The gate's program compares the lease's deadline
// with the kernel's. `offsets` has the offsets; a kernel without that file has no such namespaces.
[[nodiscard]] Result<void> refuse_shifted_clock(
    const std::string& offsets = "/proc/self/timens_offsets");

}  // namespace vpnha::adapters
