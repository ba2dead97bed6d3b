// SPDX-License-Identifier: GPL-2.0-or-later
// Clients of IKEv2 that may move learn all addresses of their node. A rule of gateway.nft keeps
// them from addresses that do not move with the gateway (docs/explain/ipsec.md).
#pragma once

#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::runtime {

// Whether a rule of the ruleset drops new packets to UDP port 4500. `rules`: libnftables' JSON, as
// list_nft_rules() returns it. `malformed`: it is no such JSON.
[[nodiscard]] Result<bool> drops_new_ike(std::string_view rules);

}  // namespace vpnha::runtime
