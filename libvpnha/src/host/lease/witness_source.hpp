// SPDX-License-Identifier: GPL-2.0-or-later
// The source address of a datagram to a witness. Never a gateway's own: the gate drops packets from
// there before the lease is granted, and the grant needs the witness.
#pragma once

#include <vector>

#include "base/ip.hpp"
#include "host/lease/lease_socket.hpp"

namespace vpnha::adapters {

// As the kernel chooses by its routes; or, if `covered` has that one, another one of the same
// family that the device has. unreachable: there is no route. unsupported: no other address.
[[nodiscard]] Result<SocketAddress> source_to(const SocketAddress& to,
                                              const std::vector<IpPrefix>& covered);

}  // namespace vpnha::adapters
