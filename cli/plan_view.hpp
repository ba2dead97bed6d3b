// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha plan` for the result of the verb `plan`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Adds the marks of ocf:vpnha:probe to the candidates, as their member `service`: "alive", "dead",
// or null. By the template's rule a node with a dead service comes after its equals. So it may be
// promoted only if all of them are dead. `cib_status` is the CIB's section of that name; if it
// could not be read, the result is not changed.
void add_marks(nlohmann::json& plan, const Result<std::string>& cib_status);

[[nodiscard]] std::string render_plan(const nlohmann::json& plan, bool use_colour);
// Sessions of all gateways that would be lost.
[[nodiscard]] std::uint64_t lost_sessions(const nlohmann::json& plan);

}  // namespace vpnha::cli
