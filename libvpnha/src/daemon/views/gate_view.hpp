// SPDX-License-Identifier: GPL-2.0-or-later
// The gates of this node as the control socket shows them: docs/reference/control-protocol.md has
// the shapes.
#pragma once

#include <nlohmann/json.hpp>

#include "config/config.hpp"
#include "daemon/stacks.hpp"
#include "host/gate/gate.hpp"

namespace vpnha::runtime {

// Of the gateways of one network namespace, within it; `now` is CLOCK_BOOTTIME.
[[nodiscard]] Result<nlohmann::json> gate_view(const config::Config& config,
                                               const adapters::BpfGate& gate, TimePoint now);
// Of all of them.
[[nodiscard]] Result<nlohmann::json> gate_view(const Stacks& stacks, TimePoint now);

// Packets by direction and reason, of any kind: for the status.
[[nodiscard]] nlohmann::json drops_by_reason(const ports::GateCounters& drops);

}  // namespace vpnha::runtime
