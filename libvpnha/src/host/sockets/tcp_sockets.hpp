// SPDX-License-Identifier: GPL-2.0-or-later
// The node's TCP sockets over IPv4: listeners, and
// remains of connections whose process has died.
#pragma once

#include "base/ids.hpp"

namespace vpnha::adapters {

// Whether a socket listens on exactly this endpoint.
[[nodiscard]] bool is_tcp_listener(const Ipv4Endpoint& endpoint);
// Connections of this end that no process has open any more still send, and receive packets for a
// repaired socket with the same peer. They are destroyed, and so are open ones. Each may send one
// RST, which the gate drops.
[[nodiscard]] Result<void> destroy_connections(const Ipv4Endpoint& endpoint);
// That one alone; a success when there is none.
[[nodiscard]] Result<void> destroy_connection(const Ipv4Endpoint& ours, const Ipv4Endpoint& peer);

}  // namespace vpnha::adapters
