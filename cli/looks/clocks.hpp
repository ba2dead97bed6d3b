// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a time daemon keeps this machine's clock right, by what the kernel was told. How fast
// chrony may slew it is another question (daemon/checks/clock_rate.hpp), and the difference from
// the promoted node is in `vpnha status`.
#pragma once

#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

// `status`: the bits that adjtimex(2) returns. Each finding with what to do.
[[nodiscard]] std::vector<std::string> judge_clock(int status);
// Error: the kernel cannot be asked.
[[nodiscard]] Result<std::vector<std::string>> look_at_clock();

}  // namespace vpnha::cli::looks
