// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a drill may begin. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/drill/facts.hpp"

namespace vpnha::cli::drill {

// Why the cluster could not stand a failure now, each with what to do; all of them at once. Empty:
// it is healthy. It is asked before a drill, and after it until the cluster is healthy again.
[[nodiscard]] std::vector<std::string> unhealthy(const Facts& facts, const std::string& gateway);

// Why this drill cannot be made here, in the same way.
[[nodiscard]] std::vector<std::string> unfit(const Facts& facts, const Order& order);

// What else is amiss, and does not keep a drill from beginning.
[[nodiscard]] std::vector<std::string> notes(const Facts& facts);

}  // namespace vpnha::cli::drill
