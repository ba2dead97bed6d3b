// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha gate` for the result of the verb `gate`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_gate(const nlohmann::json& gate, bool use_colour);

// True if every device of every gateway has the gate in both directions, or is missing.
[[nodiscard]] bool is_gate_whole(const nlohmann::json& gate);

}  // namespace vpnha::cli
