// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha plan` says about the result of the verb `plan`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Adds what ocf:vpnha:probe has marked to the candidates, as their member `service`: "alive",
// "dead", or null. By the template's rule a node whose service is dead comes behind its equals, so
// it may be promoted only where all of them are dead. `cib_status` is the CIB's section of that
// name; where it could not be read, the result stays as it is.
void add_marks(nlohmann::json& plan, const Result<std::string>& cib_status);

[[nodiscard]] std::string render_plan(const nlohmann::json& plan, bool use_colour);
// Sessions of all gateways that would be lost.
[[nodiscard]] std::uint64_t lost_sessions(const nlohmann::json& plan);

}  // namespace vpnha::cli
