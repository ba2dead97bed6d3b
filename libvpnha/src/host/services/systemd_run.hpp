// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a program through systemd in its own transient unit (systemd-run(1)), without the limits of
// the caller's unit.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Returns when the program has ended. Processes that it leaves stay in its unit, and are not ended
// with it. Its output is in the journal.
[[nodiscard]] Result<void> run_by_systemd(const std::string& description,
                                          const std::vector<std::string>& program,
                                          std::chrono::milliseconds timeout);

}  // namespace vpnha::adapters
