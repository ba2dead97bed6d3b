// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha plan` says about the result of the verb `plan`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_plan(const nlohmann::json& plan, bool use_colour);
// Sessions of all gateways that would be lost.
[[nodiscard]] std::uint64_t lost_sessions(const nlohmann::json& plan);

}  // namespace vpnha::cli
