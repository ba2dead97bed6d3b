// SPDX-License-Identifier: GPL-2.0-or-later
// Port: which requests within IKEv2 SAs come to this node, whatever its charon makes of them.
#pragma once

#include "vpnha/result.hpp"

namespace vpnha::ports {

class IkeWatch {
  public:
    virtual ~IkeWatch() = default;

    // Those that come from now on are told, or no more.
    [[nodiscard]] virtual Result<void> watch(bool on) = 0;
};

}  // namespace vpnha::ports
