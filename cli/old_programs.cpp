// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/old_programs.hpp"

#include <fmt/format.h>

#include "cli/table.hpp"

namespace vpnha::cli {

using nlohmann::json;

void print_old_programs(const Result<std::vector<OldProgram>>& old, looks::Found& found) {
    constexpr std::string_view kAbout = "versions";
    if (!old) {
        found.print(looks::Level::unread, kAbout, old.error().detail);
        return;
    }
    for (const OldProgram& each : *old) {
        found.print(looks::Level::warning, kAbout,
                    fmt::format("{} {} is older than {}: {}", each.program, each.installed,
                                each.least, each.why));
    }
    if (old->empty()) {
        found.print(looks::Level::good, kAbout,
                    "no program is older than docs/operate/versions.md has it");
    }
}

void add_old_programs(json& status, const Result<std::vector<OldProgram>>& old) {
    if (!status.is_object()) {
        return;
    }
    json& list = status["old_programs"];
    if (!old) {
        return;
    }
    list = json::array();
    for (const OldProgram& each : *old) {
        list.push_back({{"program", each.program},
                        {"package", each.package},
                        {"installed", each.installed},
                        {"least", each.least},
                        {"why", each.why}});
    }
}

std::string render_old_programs(const json& status) {
    std::string names;
    const json old = status.value("old_programs", json());
    for (const json& each : old.is_array() ? old : json::array()) {
        names += fmt::format("{}{} {} (at least {})", names.empty() ? "" : ", ",
                             each.at("program").get<std::string>(),
                             each.at("installed").get<std::string>(),
                             each.at("least").get<std::string>());
    }
    return names.empty() ? names
                         : fmt::format("Older than docs/operate/versions.md has it: {}.\n\n",
                                       printable(names));
}

}  // namespace vpnha::cli
