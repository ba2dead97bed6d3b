// SPDX-License-Identifier: GPL-2.0-or-later
// A program that systemd runs in a transient unit of its own (systemd-run(1)), with none of the
// limits of the unit that the caller is in.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Returns when the program has ended. What it leaves behind stays in its unit, and is not ended
// with it. What it wrote is in the journal.
[[nodiscard]] Result<void> run_by_systemd(const std::string& description,
                                          const std::vector<std::string>& program,
                                          std::chrono::milliseconds timeout);

}  // namespace vpnha::adapters
