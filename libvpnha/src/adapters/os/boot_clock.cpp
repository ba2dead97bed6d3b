// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/os/boot_clock.hpp"

#include <time.h>

namespace vpnha::adapters {

TimePoint boot_time() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace vpnha::adapters
