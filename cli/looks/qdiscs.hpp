// SPDX-License-Identifier: GPL-2.0-or-later
// Queueing disciplines of the gateways' devices: one that a test has left behind, and one that
// drops. The gate's own place (clsact, ingress) is for `vpnha gate`.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

// By what `tc -statistics -json qdisc show` prints. Each finding with what to do. Error malformed:
// that is no such list.
[[nodiscard]] Result<std::vector<std::string>> find_in_qdiscs(const std::string& listed,
                                                              const std::set<std::string>& devices);
// In the network namespace of each gateway. Errors: the configuration's; tc(8) is not there.
[[nodiscard]] Result<std::vector<std::string>> look_at_qdiscs(const std::string& config_file);

}  // namespace vpnha::cli::looks
