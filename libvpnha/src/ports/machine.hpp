// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the machine that this node is.
#pragma once

#include "vpnha/result.hpp"

namespace vpnha::ports {

class Machine {
  public:
    virtual ~Machine() = default;

    // From now on it has two seconds left, whatever becomes of this process or hangs in the kernel.
    virtual void limit_life() = 0;
    // At once, without a word to anybody and without waiting for a disk. Returns only when the
    // machine could not be reset: with why.
    virtual Error reset() = 0;
};

}  // namespace vpnha::ports
