// SPDX-License-Identifier: GPL-2.0-or-later
// Port: who is there on a gateway's links.
#pragma once

#include "base/ids.hpp"
#include "base/link_side.hpp"

namespace vpnha::ports {

class Neighbours {
  public:
    virtual ~Neighbours() = default;

    // Asks the configured neighbours of that side, never in the name of an address that moves;
    // answers are told to whoever made this port. What cannot be asked does not answer.
    virtual void ask(GatewayId gateway, LinkSide side) = 0;
};

}  // namespace vpnha::ports
