// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha peers` for the result of the verb `status`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_peers(const nlohmann::json& status, bool use_colour);

}  // namespace vpnha::cli
