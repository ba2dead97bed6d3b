// SPDX-License-Identifier: GPL-2.0-or-later
// What the configuration says of a gateway, as the node core takes it.
#pragma once

#include "config/config.hpp"
#include "node/gateway_node.hpp"

namespace vpnha::runtime {

// Without what the lease needs.
[[nodiscard]] node::GatewaySettings gateway_settings_of(const config::Gateway& gateway);

}  // namespace vpnha::runtime
