// SPDX-License-Identifier: GPL-2.0-or-later
// Port: what each gateway's lease must know of this node's past, kept over a restart of vpnhad and
// of the node, so that no epoch is ever claimed, or granted, twice.
#pragma once

#include <optional>

#include "lease/effects.hpp"

namespace vpnha::ports {

class Leases {
  public:
    virtual ~Leases() = default;

    // nullopt: nothing was ever saved. What cannot be read is an error, never nullopt.
    [[nodiscard]] virtual Result<std::optional<lease::Durable>> load(GatewayId gateway) const = 0;
    // On the disk when it returns.
    virtual Result<void> save(GatewayId gateway, const lease::Durable& durable) = 0;
};

}  // namespace vpnha::ports
