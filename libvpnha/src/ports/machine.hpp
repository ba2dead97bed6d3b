// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the machine of this node.
#pragma once

#include "vpnha/result.hpp"

namespace vpnha::ports {

class Machine {
  public:
    virtual ~Machine() = default;

    // Ends the machine in two seconds, even if this process ends or hangs in the kernel.
    virtual void limit_life() = 0;
    // At once, without notice to any program and without waiting for a disk. Returns only if the
    // machine could not be reset, with the reason.
    virtual Error reset() = 0;
};

}  // namespace vpnha::ports
