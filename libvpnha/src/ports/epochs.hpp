// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the highest epoch of each gateway that this node has seen, kept over a restart of vpnhad
// and of the node, so that no epoch is ever claimed twice.
#pragma once

#include "base/ids.hpp"

namespace vpnha::ports {

class Epochs {
  public:
    virtual ~Epochs() = default;

    // {}: none was ever saved. What cannot be read is an error, never {}.
    [[nodiscard]] virtual Result<Epoch> load(GatewayId gateway) const = 0;
    // On the disk when it returns.
    virtual Result<void> save(GatewayId gateway, const Epoch& epoch) = 0;
};

}  // namespace vpnha::ports
