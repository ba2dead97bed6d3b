// SPDX-License-Identifier: GPL-2.0-or-later
// Waits for descriptors: the daemon's loop, or a set of them for a foreign loop.
#pragma once

#include <functional>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

class FdWatch {
  public:
    using Callback = std::function<void()>;

    virtual ~FdWatch() = default;

    // `on_readable` runs whenever `fd` is readable, hung up or in error. The fd stays the caller's.
    virtual Result<void> watch(int fd, Callback on_readable) = 0;
    // From within the fd's own callback too. Unknown fds are ignored.
    virtual void unwatch(int fd) = 0;
};

}  // namespace vpnha::adapters
