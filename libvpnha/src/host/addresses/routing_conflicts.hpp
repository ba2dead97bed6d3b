// SPDX-License-Identifier: GPL-2.0-or-later
// Finds other users of a gateway's routing tables and rule preference. vpnhad's routes and rules
// carry kOwnRouteProtocol: all other routes in these tables, and rules to them, belong to other
// programs. A VRF of ifupdown2 has a table from 1001 on, for instance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace vpnha::adapters {

// By gateway; each as text, with the remedy. A gateway without one is not listed.
using RoutingConflicts = std::map<GatewayId, std::vector<std::string>>;

// Reads all policy rules, devices, and the gateways' tables: some ten milliseconds for ten thousand
// sessions. From another table it reads the routes to the pools, if a rule for it precedes those of
// the gateway.
[[nodiscard]] Result<RoutingConflicts> routing_conflicts(const config::Config& config);

}  // namespace vpnha::adapters
