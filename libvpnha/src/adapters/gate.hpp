// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of all gateways of this node (ports/gate.hpp), by one BPF program on all their devices.
//
// Every gateway of the configuration is covered before the first device gets the program, so that
// taking the place of an earlier vpnhad's program uncovers nobody. What this process attached stays
// when it dies, as it stood; silence() shuts it from another process.
#pragma once

#include <set>

#include "adapters/gate_program.hpp"
#include "config/config.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

class BpfGate final : public ports::Gate {
  public:
    // `config` must outlive the gate. Nothing is attached yet.
    [[nodiscard]] static Result<BpfGate> create(const config::Config& config);

    Result<void> attach(GatewayId gateway) override;
    Result<void> open_until(GatewayId gateway, TimePoint deadline) override;
    Result<void> shut(GatewayId gateway) override;
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId gateway) const override;
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId gateway) const override;

  private:
    BpfGate(const config::Config& config, GateProgram program)
        : config_(&config), program_(std::move(program)) {}

    const config::Config* config_;
    GateProgram program_;
    std::set<GatewayId> attached_;
};

// Shuts the gateway's gate without the vpnhad that attached it, which must be dead: a living one
// would open it again. A device that has no gate gets a shut one; a device that is gone lets
// nothing pass and is no failure.
[[nodiscard]] Result<void> silence(const config::Gateway& gateway);

}  // namespace vpnha::adapters
