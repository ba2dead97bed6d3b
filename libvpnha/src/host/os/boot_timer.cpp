// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/boot_timer.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <ctime>

#include "base/assert.hpp"

namespace vpnha::adapters {

BootTimer::BootTimer() : fd_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
    VPNHA_ASSERT(fd_);
}

void BootTimer::set(std::optional<TimePoint> at) {
    if (at == at_) {
        return;  // It has been readable since then, and still is.
    }
    at_ = at;
    itimerspec when{};  // Disarmed.
    if (at) {
        const auto since_boot = std::max(at->time_since_epoch(), Duration(1));
        const auto whole = std::chrono::floor<std::chrono::seconds>(since_boot);
        when.it_value = {whole.count(), (since_boot - whole).count()};
    }
    VPNHA_ASSERT(timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace vpnha::adapters
