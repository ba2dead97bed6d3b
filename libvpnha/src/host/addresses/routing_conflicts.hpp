// SPDX-License-Identifier: GPL-2.0-or-later
// Whose are the routing tables and the rule preference of a gateway? vpnhad's routes and rules
// carry kOwnRouteProtocol: all others that stand there, or lead there, are somebody else's. A VRF
// of ifupdown2 has a table from 1001 on, for instance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace vpnha::adapters {

// By gateway; each in words, with what to do. A gateway without one is not listed.
using RoutingConflicts = std::map<GatewayId, std::vector<std::string>>;

// Reads all policy rules, devices, and the gateways' tables: some ten milliseconds for ten thousand
// sessions. Of another table it reads what leads to the pools, if a rule for it comes before those
// of the gateway.
[[nodiscard]] Result<RoutingConflicts> routing_conflicts(const config::Config& config);

}  // namespace vpnha::adapters
