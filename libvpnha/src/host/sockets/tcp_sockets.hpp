// SPDX-License-Identifier: GPL-2.0-or-later
// The node's TCP sockets over IPv4: who listens, and what is left of connections whose process has
// died.
#pragma once

#include "base/ids.hpp"

namespace vpnha::adapters {

// Does a socket listen on exactly this endpoint?
[[nodiscard]] bool is_tcp_listener(const Ipv4Endpoint& endpoint);
// Connections of this end that nobody has open any more still send, and take what comes for a
// repaired socket with the same peer. They are destroyed; so are those that somebody has open. Each
// may send one RST, for the gate to drop.
[[nodiscard]] Result<void> destroy_connections(const Ipv4Endpoint& endpoint);
// That one alone; fine when there is none.
[[nodiscard]] Result<void> destroy_connection(const Ipv4Endpoint& ours, const Ipv4Endpoint& peer);

}  // namespace vpnha::adapters
