// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses that one host may have.
#pragma once

#include "base/ids.hpp"

namespace vpnha {

// Neither "this network" (0/8) nor multicast, reserved or broadcast (224/3).
[[nodiscard]] constexpr bool is_unicast(const Ipv4Address& address) {
    const std::uint32_t first = address.value >> 24;
    return first != 0 && first < 224;
}

// With a port.
[[nodiscard]] constexpr bool is_unicast(const Ipv4Endpoint& endpoint) {
    return is_unicast(endpoint.address) && endpoint.port != 0;
}

}  // namespace vpnha
