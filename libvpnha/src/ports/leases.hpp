// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the disk on which each gateway's lease keeps what it must know of this node's past. It
// outlives vpnhad and a boot, so that no epoch is ever claimed, or granted, twice.
#pragma once

#include <functional>

#include "lease/effects.hpp"

namespace vpnha::ports {

class Leases {
  public:
    using Done = std::function<void(const Result<void>&)>;

    virtual ~Leases() = default;

    // Returns at once. `done` comes at a later turn of the loop, when `durable` is on the disk, or
    // with the reason why it is not. Saves are in order; of those of one gateway that wait, only
    // the newest is written, and only its `done` is called.
    virtual void save(GatewayId gateway, lease::Durable durable, Done done) = 0;
};

}  // namespace vpnha::ports
