// SPDX-License-Identifier: GPL-2.0-or-later
// Port: which neighbours answer on a gateway's links.
#pragma once

#include "base/ids.hpp"
#include "base/link_side.hpp"

namespace vpnha::ports {

class Neighbours {
  public:
    virtual ~Neighbours() = default;

    // Asks the configured neighbours of that side, never from an address that moves. The owner of
    // this port receives the answers. A neighbour that cannot be asked does not answer.
    virtual void ask(GatewayId gateway, LinkSide side) = 0;
};

}  // namespace vpnha::ports
