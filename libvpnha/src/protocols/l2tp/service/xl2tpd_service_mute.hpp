// SPDX-License-Identifier: GPL-2.0-or-later
// Mutes one UDP endpoint of this node: an nftables table of its own drops what comes for it, before
// a missing socket makes the kernel answer "port unreachable", and what is sent from it.
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
