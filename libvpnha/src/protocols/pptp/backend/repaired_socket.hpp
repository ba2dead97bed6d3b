// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's end of a control connection that another node had: a TCP socket in the state given
// by the numbers (TCP_REPAIR). No packet is sent when it is made, and none when it is closed
// silently.
#pragma once

#include "host/os/unique_fd.hpp"
#include "protocols/pptp/model/control_probe.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Connected, non-blocking. A socket that a dead process left with these endpoints is destroyed.
[[nodiscard]] Result<UniqueFd> open_repaired(const pptp::CallKey& key,
                                             const pptp::ControlSocket& socket);
// Without a FIN or RST: another node continues the connection, or none.
void close_silently(UniqueFd socket);
// As TCP does: with a FIN.
void close_with_fin(UniqueFd socket);
// Octets that were sent, and not acknowledged.
[[nodiscard]] std::uint32_t unacknowledged(int socket);

}  // namespace vpnha::adapters
