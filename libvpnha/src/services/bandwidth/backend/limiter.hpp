// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the kernel's traffic control of one device. In the network namespace of the caller.
#pragma once

#include <cstdint>

#include "services/bandwidth/model/shaping.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class Limiter {
  public:
    virtual ~Limiter() = default;

    // Replaces the device's settings. Error not_found: it is gone. Another error: this kernel does
    // not support a part of it, and the device may have some of it.
    [[nodiscard]] virtual Result<void> set(std::uint32_t link,
                                           const bandwidth::Shaping& shaping) = 0;
    // A success if the device is gone, or has none.
    [[nodiscard]] virtual Result<void> remove(std::uint32_t link) = 0;
};

}  // namespace vpnha::ports
