// SPDX-License-Identifier: GPL-2.0-or-later
// The node's UDP sockets over IPv4, as /proc/net/udp lists them: finds the users of a port.
#pragma once

#include "base/ids.hpp"

namespace vpnha::adapters {

// Whether an unconnected socket is bound to the endpoint. 0.0.0.0 is the wildcard address itself.
[[nodiscard]] bool is_udp_listener(const Ipv4Endpoint& endpoint);
// Whether any socket is bound to the endpoint.
[[nodiscard]] bool is_udp_bound(const Ipv4Endpoint& endpoint);

}  // namespace vpnha::adapters
