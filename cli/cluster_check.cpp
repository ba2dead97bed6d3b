// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cluster_check.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "cli/json_text.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

using nlohmann::json;

void add_cluster(CLI::App& app, const std::function<void(bool as_json)>& ordered) {
    CLI::App* const cluster = app.add_subcommand("cluster", "Looks at Pacemaker's configuration");
    cluster->require_subcommand(1);
    CLI::App* const verb = cluster->add_subcommand(
        "check", "Constraints that promote a node whatever its replica has, as moves leave them");
    const auto as_json = std::make_shared<bool>(false);
    verb->add_flag("--json", *as_json, "As JSON");
    verb->callback([as_json, ordered] { ordered(*as_json); });
}

std::vector<ConstraintFinding> overriding(std::vector<ConstraintFinding> found) {
    std::erase_if(found, [](const ConstraintFinding& each) { return each.is_intended; });
    return found;
}

ExitCode show_cluster_check(const Result<std::vector<ConstraintFinding>>& check, bool as_json,
                            std::ostream& out, std::ostream& err) {
    if (!check) {
        return report(check.error(), err);
    }
    ExitCode code = ExitCode::ok;
    json list = json::array();
    for (const ConstraintFinding& finding : *check) {
        code = finding.is_intended ? code : ExitCode::degraded;
        list.push_back(
            {{"id", finding.id}, {"intended", finding.is_intended}, {"text", finding.text}});
        if (!as_json) {
            out << (finding.is_intended ? "note: " : "warning: ") << printable(finding.text)
                << "\n";
        }
    }
    if (as_json) {
        out << json_text({{"constraints", list}}, 2) << "\n";
    } else if (check->empty()) {
        out << "no constraint overrides the promotion scores\n";
    }
    return code;
}

void add_constraints(json& status, const Result<std::vector<ConstraintFinding>>& check) {
    if (!check || !status.is_object()) {
        return;
    }
    for (const ConstraintFinding& finding : overriding(*check)) {
        status["constraints"].push_back({{"id", finding.id}, {"text", finding.text}});
    }
}

}  // namespace vpnha::cli
