// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a time daemon keeps this machine's clock right, by the kernel's status bits.
// daemon/checks/clock_rate.hpp checks how fast chrony may slew it. And by how much it differs from
// the clock of the node that serves, by vpnhad's status.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/ask.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

// `status`: the bits that adjtimex(2) returns. Each finding with what to do.
[[nodiscard]] std::vector<std::string> judge_clock(int status);
// Error: the kernel cannot be asked.
[[nodiscard]] Result<std::vector<std::string>> look_at_clock();
// By the result of the verb `status`. A finding for each gateway whose node's clock differs from
// this one, with what to do.
[[nodiscard]] std::vector<std::string> compare_clocks(const nlohmann::json& status);
// Error: vpnhad does not answer.
[[nodiscard]] Result<std::vector<std::string>> look_at_differences(const Ask& ask);

}  // namespace vpnha::cli::looks
