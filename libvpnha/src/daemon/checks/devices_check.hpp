// SPDX-License-Identifier: GPL-2.0-or-later
// The devices of this machine that would refuse the gate, before vpnhad needs it there.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "host/gate/gate_chain.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

[[nodiscard]] Result<std::vector<DeviceFinding>> find_in_devices(const config::Config& config);
[[nodiscard]] Result<std::vector<DeviceFinding>> find_in_devices(const config::Config& config,
                                                                 adapters::GateHook hook);

}  // namespace vpnha::runtime
