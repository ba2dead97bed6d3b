// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha status` for the result of the verb `status`. Members of a newer vpnhad are
// ignored. A missing member throws nlohmann::json::exception, which main() reports.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_status(const nlohmann::json& status, bool use_colour);
// One line as monitoring plugins print it: "VPNHA OK - …".
[[nodiscard]] std::string render_check(const nlohmann::json& status);

}  // namespace vpnha::cli
