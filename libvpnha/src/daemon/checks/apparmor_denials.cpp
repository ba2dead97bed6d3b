// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/apparmor_denials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

namespace vpnha::runtime {

namespace {

constexpr std::string_view kDenied = "apparmor=\"DENIED\"";
// Parts of the names of profiles that concern each gateway.
constexpr std::array<std::string_view, 4> kPrograms{"vpnha", "pppd", "swanctl", "corosync"};

// The value of `NAME="VALUE"`; empty: there is none.
std::string value_of(std::string_view line, std::string_view name) {
    const std::string mark = fmt::format(" {}=\"", name);
    const std::size_t at = line.find(mark);
    if (at == std::string_view::npos) {
        return {};
    }
    line.remove_prefix(at + mark.size());
    return std::string(line.substr(0, line.find('"')));
}

// A profile has its program's path as its name, or another one.
std::string local_file(std::string profile) {
    if (!profile.starts_with('/')) {
        return fmt::format("the file in /etc/apparmor.d/local that the profile {} includes",
                           profile);
    }
    profile.erase(0, 1);
    std::ranges::replace(profile, '/', '.');
    return "/etc/apparmor.d/local/" + profile;
}

std::string sentence_of(const std::string& line, std::size_t count) {
    const std::string profile = value_of(line, "profile");
    const std::string capability = value_of(line, "capname");
    const std::string name = value_of(line, "name");
    const std::string mask = value_of(line, "requested_mask");
    const std::string what = !capability.empty() ? "the capability " + capability
                             : !name.empty()     ? fmt::format("{} ({})", name, mask)
                                                 : value_of(line, "operation");
    const std::string rule = !capability.empty() ? fmt::format("capability {},", capability)
                             : !name.empty()     ? fmt::format("\"{}\" {},", name, mask)
                                                 : "a rule for it";
    return fmt::format(
        "AppArmor has denied {} to {}, {} times within a day; if it should have it, write '{}' "
        "into "
        "{} and load the profile again with apparmor_parser -r",
        what, profile, count, rule, local_file(profile));
}

}  // namespace

std::vector<std::string> find_denials(std::string_view log, std::vector<std::string> programs) {
    std::erase(programs, "");  // Of a protocol that the kernel serves.
    programs.insert(programs.end(), kPrograms.begin(), kPrograms.end());
    // Keyed by the fields that make two denials equal.
    std::map<std::string, std::pair<std::string, std::size_t>> denials;
    std::istringstream lines{std::string(log)};
    for (std::string line; std::getline(lines, line);) {
        const std::string profile = value_of(line, "profile");
        const bool is_ours = std::ranges::any_of(programs, [&](const std::string& program) {
            return profile.find(program) != std::string::npos;
        });
        if (is_ours && line.find(kDenied) != std::string::npos) {
            const std::string key = fmt::format(
                "{}|{}|{}|{}|{}", profile, value_of(line, "operation"), value_of(line, "capname"),
                value_of(line, "name"), value_of(line, "requested_mask"));
            auto& [first, count] = denials[key];
            first = line;
            ++count;
        }
    }
    std::vector<std::string> found;
    for (const auto& [key, denial] : denials) {
        found.push_back(sentence_of(denial.first, denial.second));
    }
    return found;
}

}  // namespace vpnha::runtime
