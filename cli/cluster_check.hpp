// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha cluster check`: the parts of Pacemaker's configuration that overrule the replicas.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/exit_code.hpp"
#include "vpnha/daemon.hpp"

namespace CLI {
class App;
}

namespace vpnha::cli {

// `ordered` is called while the command line is parsed, with whether it asks for JSON.
void add_cluster(CLI::App& app, const std::function<void(bool as_json)>& ordered);

// Those that are faults.
[[nodiscard]] std::vector<ConstraintFinding> overriding(std::vector<ConstraintFinding> found);

// Prints the constraints that override the promotion scores. Degraded when a move has left one.
[[nodiscard]] ExitCode show_cluster_check(const Result<std::vector<ConstraintFinding>>& check,
                                          bool as_json, std::ostream& out, std::ostream& err);

// Adds the constraints that are faults to the result of the verb `status`, as its member
// `constraints`. Without one, or if the CIB cannot be read, the result is not changed.
void add_constraints(nlohmann::json& status, const Result<std::vector<ConstraintFinding>>& check);

}  // namespace vpnha::cli
