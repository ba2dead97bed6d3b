// SPDX-License-Identifier: GPL-2.0-or-later
// Reads what a drill has to know: of vpnhad, of Pacemaker, of Corosync and of this node.
#pragma once

#include "cli/drill/facts.hpp"
#include "cli/switchover.hpp"

namespace vpnha::cli::drill {

// What unhealthy() judges: of vpnhad and of Pacemaker. Error: vpnhad does not answer.
[[nodiscard]] Result<Facts> look_at_health(const Ask& ask);
// The same, and what a plan needs; some 0.5 s. Errors: vpnhad does not answer, or vpnha.toml is
// wrong. What else cannot be read is in the facts.
[[nodiscard]] Result<Facts> look(const Order& order, const Ask& ask);

// The time of day, in milliseconds since 1970.
[[nodiscard]] double unix_ms_now();

}  // namespace vpnha::cli::drill
