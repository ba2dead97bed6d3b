// SPDX-License-Identifier: GPL-2.0-or-later
// The end of a life that the other nodes have fenced.
#pragma once

#include "config/config.hpp"
#include "ports/machine.hpp"
#include "ports/services.hpp"

namespace vpnha::runtime {

// To be called with all gates shut. Notifies the agents, kills the services of all gateways, and
// resets the machine; nothing is synchronised. Returns if the configuration disables the reset or
// the machine could not do it: with the reason why vpnhad ends.
[[nodiscard]] Error end_fenced_life(const config::Config& config, ports::Services& services,
                                    ports::Machine& machine);

}  // namespace vpnha::runtime
