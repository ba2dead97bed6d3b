// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the connections of the gateway with IPsec are such that its SAs outlive a takeover.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "vpnha/result.hpp"

namespace vpnha::runtime {

// Reads the files that the gateway's table names, and what they include. What was found, for a
// human; nothing without such a gateway.
[[nodiscard]] std::vector<std::string> find_in_connections(const config::Config& config);

}  // namespace vpnha::runtime
