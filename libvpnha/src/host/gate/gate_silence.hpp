// SPDX-License-Identifier: GPL-2.0-or-later
// Controls the gate from another process than the one that attached it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "config/config.hpp"
#include "host/gate/gate_place.hpp"

namespace vpnha::adapters {

// Silences one gateway without the process that attached the gates.
class GateSilencer {
  public:
    GateSilencer(const config::Gateway& gateway, GateChain chain)
        : gateway_(gateway), chain_(std::move(chain)) {}

    // Shuts the gates that are there. False: there is none, or it is not the first program.
    Result<bool> shut(const Link& link, GateDirection direction);
    Result<void> put_shut_one(const Link& link, GateDirection direction);

  private:
    Result<void> shut(const GatePrograms::Program& program);

    const config::Gateway& gateway_;
    GateChain chain_;
    GatePrograms programs_;
    std::set<std::uint32_t> shut_;
    std::optional<GateProgram> own_;
};

// Shuts the gateway's gate without the vpnhad that attached it, which must be dead: a live one
// would open it again. A device without a gate, or with it after another program, gets a shut one;
// a device that is gone passes nothing and is no failure.
[[nodiscard]] Result<void> silence(const config::Config& config, const config::Gateway& gateway,
                                   GateHook hook = gate_hook_of_kernel());

// Whether the gateway's gate passes packets on one of its devices at this moment, whoever attached
// it. A device without a gate does not count: packets pass there without any lease.
[[nodiscard]] Result<bool> is_open(const config::Config& config, const config::Gateway& gateway,
                                   GateHook hook = gate_hook_of_kernel());

// The same repeatedly, by the gateway's outside device alone: a list of all devices takes long if
// sessions have thousands of them. The gateway must outlive it.
class GateLook {
  public:
    [[nodiscard]] static Result<GateLook> create(const config::Gateway& gateway,
                                                 GateHook hook = gate_hook_of_kernel());
    // For the present outside device.
    [[nodiscard]] Result<bool> is_open();

  private:
    GateLook(const config::Gateway& gateway, GateChain chain, RouteNetlink route)
        : gateway_(&gateway), chain_(std::move(chain)), route_(std::move(route)) {}

    const config::Gateway* gateway_;
    GateChain chain_;
    RouteNetlink route_;
    GatePrograms programs_;
};

// Whether this kernel has what the gate needs: attaches it in
// a temporary network namespace. Error unsupported names the
// missing part, permission means that only root can find out.
[[nodiscard]] Result<void> probe_gate();

}  // namespace vpnha::adapters
