// SPDX-License-Identifier: GPL-2.0-or-later
// Queueing disciplines of the gateways' devices: those that a test has left there, and those that
// drop. `vpnha gate` covers the gate's own ones (clsact, ingress).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

// From the output of `tc -statistics -json qdisc show`. Each finding with what to do. Error
// malformed: it is no such list.
[[nodiscard]] Result<std::vector<std::string>> find_in_qdiscs(const std::string& listed,
                                                              const std::set<std::string>& devices);
// In the network namespace of each gateway. Errors: the configuration's; tc(8) is missing.
[[nodiscard]] Result<std::vector<std::string>> look_at_qdiscs(const std::string& config_file);

}  // namespace vpnha::cli::looks
