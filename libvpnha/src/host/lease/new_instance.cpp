// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/new_instance.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/limits.hpp"

namespace vpnha::adapters {

Result<lease::Instance> new_instance() {
    std::uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
        return tl::unexpected(system_error("getrandom", errno));
    }
    return lease::Instance{number % limits::kCounterMax + 1};
}

}  // namespace vpnha::adapters
