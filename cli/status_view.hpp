// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha status` and `vpnha peers` say about the result of the verb `status`. Members of a
// newer vpnhad are ignored; one that lacks what is needed throws nlohmann::json::exception, which
// main() reports.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vpnha::cli {

enum class Health { ok, degraded, critical };

struct Finding {
    Health health;
    std::string text;  // "gateway dialin: 2 of 7 sessions are not protected"
};

// What keeps the cluster from surviving the next failure, worst first; empty when nothing does.
[[nodiscard]] std::vector<Finding> findings_of(const nlohmann::json& status);
[[nodiscard]] Health health_of(const std::vector<Finding>& findings);

[[nodiscard]] std::string render_status(const nlohmann::json& status, bool use_colour);
[[nodiscard]] std::string render_peers(const nlohmann::json& status, bool use_colour);
// One line as monitoring plugins print it: "VPNHA OK - …".
[[nodiscard]] std::string render_check(const nlohmann::json& status);

}  // namespace vpnha::cli
