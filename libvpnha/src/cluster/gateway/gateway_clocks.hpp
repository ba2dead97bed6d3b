// SPDX-License-Identifier: GPL-2.0-or-later
// What time it is for the gateway's sessions, and for the node that serves. Pure.
#pragma once

#include "cluster/gateway/gateway_cores.hpp"
#include "cluster/gateway/gateway_views.hpp"

namespace vpnha::node {

// A node's message about the gateway's clock. A clock of this node that differs from that of the
// node that serves becomes a blocker of `cores`.
void on_clock(GatewayCores& cores, const GatewayView& view, NodeId sender, const wire::Clock& clock,
              TimePoint now, Effects& effects);
// Sends the clock when it is due: of the node that serves, or passed on while nobody does.
void flush_clock(GatewayCores& cores, TimePoint now, Effects& effects);

}  // namespace vpnha::node
