// SPDX-License-Identifier: GPL-2.0-or-later
// Pacemaker's constraints that override the promotion scores of the gateways, as text for the
// operator. vpnhad writes a low score for a node whose replica is not complete. Pacemaker adds the
// scores of constraints to it, and compares the sums.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "vpnha/daemon.hpp"
#include "vpnha/result.hpp"

namespace vpnha::runtime {

// Faults first, else in the order of the CIB. `configuration` is its section of that name, as
// adapters::query_cib() returns it. A constraint whose lifetime does not include `now` has no
// effect and is not named. Error malformed: the text is no XML.
[[nodiscard]] Result<std::vector<ConstraintFinding>> find_in_constraints(
    std::string_view configuration, std::chrono::sys_seconds now);

}  // namespace vpnha::runtime
