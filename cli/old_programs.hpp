// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of this node that are older than docs/operate/versions.md requires.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/looks/found.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::cli {

// For `vpnha doctor`: each with the reason.
void print_old_programs(const Result<std::vector<OldProgram>>& old, looks::Found& found);

// Adds them to the result of the verb `status`, as its member `old_programs`: empty if there are
// none, null if dpkg could not be asked.
void add_old_programs(nlohmann::json& status, const Result<std::vector<OldProgram>>& old);
// One line for all of them; empty if there are none.
[[nodiscard]] std::string render_old_programs(const nlohmann::json& status);

}  // namespace vpnha::cli
