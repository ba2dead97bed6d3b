// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of all gateways of this node (ports/gate.hpp), by one BPF program on all their devices.
//
// Every gateway of the configuration is covered before the first device gets the program, so that
// taking the place of an earlier vpnhad's program uncovers nobody. What this process attached stays
// when it dies, as it stood; silence() shuts it from another process.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/gate_program.hpp"
#include "config/config.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

// Where the program stands on a device, as the kernel says.
enum class GatePresence {
    attached,
    missing,    // The device is there, and lets everything pass.
    foreign,    // Another program, or another process's, whose deadlines are not this one's.
    no_device,  // Nothing passes either.
};

struct GateState {
    struct Device {
        std::string interface;
        GateDirection direction;
        GatePresence presence;
    };

    std::optional<TimePoint> deadline;  // nullopt: shut. It may have passed.
    std::vector<Device> devices;        // Each in both directions.
    std::vector<IpPrefix> covered;
    ports::GateCounters drops;
};

class BpfGate final : public ports::Gate {
  public:
    // `config` must outlive the gate. Nothing is attached yet.
    [[nodiscard]] static Result<BpfGate> create(const config::Config& config);

    Result<void> attach(GatewayId gateway) override;
    Result<void> open_until(GatewayId gateway, TimePoint deadline) override;
    Result<void> shut(GatewayId gateway) override;
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId gateway) const override;
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId gateway) const override;

    // Whether the gateway's PPTP control connections may end (FIN and RST from its port 1723): only
    // while their server means it. At first they may not, so that a pptpd or vpnhad that dies on
    // the promoted node does not hang up clients that another node will serve.
    Result<void> allow_endings(GatewayId gateway, bool meant);
    // All of it, for a human: asks the kernel for each device.
    [[nodiscard]] Result<GateState> state(GatewayId gateway) const;

  private:
    [[nodiscard]] Result<void> stands_on_all(const config::Gateway& gateway) const;
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

// Whether this kernel has what the gate needs: attaches it in a network namespace of its own, of
// which nothing is left. Error unsupported says what is missing, permission that only root can
// look.
[[nodiscard]] Result<void> probe_gate();

}  // namespace vpnha::adapters
