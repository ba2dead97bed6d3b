// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/probe_marks.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/os/text_file.hpp"

namespace vpnha::cli {

std::vector<ProbeMark> read_probe_marks(const std::string& directory) {
    std::vector<ProbeMark> marks;
    std::error_code error;
    for (const auto& each : std::filesystem::directory_iterator(directory, error)) {
        const auto found = nlohmann::json::parse(adapters::read_text(each.path()), nullptr, false);
        if (!found.is_object()) {
            continue;
        }
        const std::string verdict = found.value("verdict", "");
        const std::string gateway = found.value("gateway", "");
        if (!gateway.empty() && !verdict.empty()) {
            marks.push_back({gateway, verdict == "dead"});
        }
    }
    std::ranges::sort(marks, {}, &ProbeMark::gateway);
    return marks;
}

}  // namespace vpnha::cli
