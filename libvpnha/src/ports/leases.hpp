// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the disk on which each gateway's lease keeps what it must know of this node's past. It
// outlives vpnhad and a boot, so that no epoch is ever claimed, or granted, twice.
#pragma once

#include <cstdint>
#include <functional>

#include "cluster/lease/effects.hpp"

namespace vpnha::ports {

class Leases {
  public:
    using Done = std::function<void(const Result<void>&)>;

    virtual ~Leases() = default;

    // Returns at once. `done` is called at a later turn of the loop, when `durable` is on the disk,
    // or with the reason for the failure. `ticket`: the node numbers a gateway's saves, from 1; the
    // higher number has the newer content, in any order of the calls. Of the waiting tickets only
    // the highest one is written, and none below a ticket that was passed on before. The `done` of
    // the ticket that is written answers all lower ones; theirs are not called.
    virtual void save(GatewayId gateway, lease::Durable durable, std::uint64_t ticket,
                      Done done) = 0;
};

}  // namespace vpnha::ports
