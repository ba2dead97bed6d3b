// SPDX-License-Identifier: GPL-2.0-or-later
// Mutes one UDP endpoint of this node by a separate nftables table. It drops packets from the
// endpoint, and packets to it before the kernel answers "port unreachable" without a socket.
#pragma once

#include <string>

#include "base/ids.hpp"

namespace vpnha::adapters {

// The table is named after the gateway. Repeating either call is a success.
[[nodiscard]] Result<void> mute_endpoint(const std::string& gateway, const Ipv4Endpoint& endpoint);
[[nodiscard]] Result<void> unmute_endpoint(const std::string& gateway);

// The libnftables JSON of the first, for tests.
[[nodiscard]] std::string mute_ruleset(const std::string& gateway, const Ipv4Endpoint& endpoint);

}  // namespace vpnha::adapters
