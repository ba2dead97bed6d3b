// SPDX-License-Identifier: GPL-2.0-or-later
// Port: what carries out the work of a protocol that comes with the program. What it has to tell is
// told from the event loop, never from within a call.
#pragma once

#include <any>

#include "base/ids.hpp"

namespace vpnha::ports {

class Carrier {
  public:
    virtual ~Carrier() = default;

    // False: the work is of another protocol.
    [[nodiscard]] virtual bool execute(GatewayId gateway, const std::any& work) = 0;
};

}  // namespace vpnha::ports
