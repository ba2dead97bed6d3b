// SPDX-License-Identifier: GPL-2.0-or-later
// Bounds of a gateway that are nearly reached, or were since vpnhad started.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/ask.hpp"
#include "config/config.hpp"

namespace vpnha::cli::looks {

// By the result of the verb `status`. Each finding with what to do.
[[nodiscard]] std::vector<std::string> find_in_sizes(const nlohmann::json& status,
                                                     const config::Config& config);
// Errors: the configuration's; vpnhad does not answer.
[[nodiscard]] Result<std::vector<std::string>> look_at_sizes(const std::string& config_file,
                                                             const Ask& ask);

}  // namespace vpnha::cli::looks
