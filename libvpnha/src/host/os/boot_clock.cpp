// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/boot_clock.hpp"

#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <fstream>

namespace vpnha::adapters {

TimePoint boot_time() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

Duration wall_offset() {
    return std::chrono::system_clock::now().time_since_epoch() - boot_time().time_since_epoch();
}

Result<void> refuse_shifted_clock(const std::string& offsets) {
    std::ifstream file(offsets);
    std::string clock;
    long long seconds = 0;
    long long nanoseconds = 0;
    while (file >> clock >> seconds >> nanoseconds) {
        // Older kernels write the numbers of the clocks.
        const bool is_boottime = clock == "boottime" || clock == std::to_string(CLOCK_BOOTTIME);
        if (is_boottime && (seconds != 0 || nanoseconds != 0)) {
            return fail(Errc::unsupported,
                        fmt::format("this process is in a time namespace whose CLOCK_BOOTTIME has "
                                    "an offset of {} s and {} ns ({}): the gate would be open for "
                                    "longer, or for less long, than the lease; run vpnhad in the "
                                    "machine's time namespace",
                                    seconds, nanoseconds, offsets));
        }
    }
    return {};
}

}  // namespace vpnha::adapters
