// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a drill may begin. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/drill/facts.hpp"

namespace vpnha::cli::drill {

// Why the cluster could not survive a failure now: all reasons, each with what to do. Empty: it is
// healthy. Called before a drill, and after it until the cluster is healthy again.
[[nodiscard]] std::vector<std::string> unhealthy(const Facts& facts, const std::string& gateway);

// Why this drill cannot run here, in the same form.
[[nodiscard]] std::vector<std::string> unfit(const Facts& facts, const Order& order);

// Other faults, which do not prevent a drill.
[[nodiscard]] std::vector<std::string> notes(const Facts& facts);

}  // namespace vpnha::cli::drill
