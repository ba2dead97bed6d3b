// SPDX-License-Identifier: GPL-2.0-or-later
// A descriptor that is readable from a time of the boot clock on. libqb's own timers count whole
// milliseconds.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

class BootTimer {
  public:
    BootTimer();

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Readable from then on, and until it is set again; nullopt: never. A time in the past is now.
    void set(std::optional<TimePoint> at);

  private:
    UniqueFd fd_;
    std::optional<TimePoint> at_;
};

}  // namespace vpnha::adapters
