// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha rebalance`: spreads the promoted gateways evenly over the nodes. Each move is one of
// `vpnha switchover`, and vpnhad's dry run of that verb decides which node can have a gateway.
#pragma once

#include <functional>

#include "cli/drill/facts.hpp"
#include "cli/switchover.hpp"

namespace CLI {
class App;
}

namespace vpnha::cli::rebalance {

struct Order {
    bool yes = false;  // Makes the moves; otherwise they are only shown.
    bool as_json = false;
};

using Verb = std::function<ExitCode(const SwitchoverPorts&)>;

// `ordered` is called while the command line is parsed.
void add_rebalance(CLI::App& app, const std::function<void(Verb)>& ordered);

// Reads the status of vpnhad, and of Pacemaker. Error: vpnhad does not answer.
using Look = std::function<Result<drill::Facts>()>;

// Makes one move after the other, and waits after each until the other nodes are in sync again.
// Stops at the first move that fails or loses sessions. As JSON: the plan and the state of each
// move; progress goes to `ports.err` then.
[[nodiscard]] ExitCode spread_gateways(const Order& order, const SwitchoverPorts& ports,
                                       const Look& look);

}  // namespace vpnha::cli::rebalance
