// SPDX-License-Identifier: GPL-2.0-or-later
// Reads what a drill needs: from vpnhad, Pacemaker, Corosync and this node.
#pragma once

#include "cli/drill/facts.hpp"
#include "cli/switchover.hpp"

namespace vpnha::cli::drill {

// The input of unhealthy(): from vpnhad and Pacemaker. Error: vpnhad does not answer.
[[nodiscard]] Result<Facts> look_at_health(const Ask& ask);
// The same, and what a plan needs; takes some 0.5 s. Errors: vpnhad does not answer, or vpnha.toml
// is wrong. The facts include what else cannot be read.
[[nodiscard]] Result<Facts> look(const Order& order, const Ask& ask);

// The time of day, in milliseconds since 1970.
[[nodiscard]] double unix_ms_now();

}  // namespace vpnha::cli::drill
