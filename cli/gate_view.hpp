// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha gate` says about the result of the verb `gate`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_gate(const nlohmann::json& gate, bool use_colour);

// True when every device of every gateway has the gate in both directions, or is not there.
[[nodiscard]] bool is_gate_whole(const nlohmann::json& gate);

}  // namespace vpnha::cli
