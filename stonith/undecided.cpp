// SPDX-License-Identifier: GPL-2.0-or-later
#include "undecided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "cib_resources.hpp"
#include "host/pacemaker/cib.hpp"

namespace vpnha::stonith {

namespace {

using adapters::CibElement;

// What fence_vpnha does there; nothing of any other agent, which decides. A device whose parameters
// are not known may do nothing.
std::map<std::string, std::string> modes_in(const std::vector<CibResource>& resources) {
    std::map<std::string, std::string> modes;
    for (const CibResource& each : resources) {
        if (each.kind != CibResource::Kind::primitive || each.type != "fence_vpnha") {
            continue;
        }
        const std::set<std::string> values = each.values("mode");
        const bool is_first = values.contains("duel") || values.contains("yield");
        modes[each.id] = values.contains("confirm")        ? "confirm"
                         : is_first || values.contains("") ? "first"
                                                           : "";
    }
    return modes;
}

std::vector<std::string> split(const std::string& names) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        found.push_back(names.substr(at, end - at));
        at = end + 1;
    }
    return found;
}

}  // namespace

Result<std::vector<std::string>> undecided_in(std::string_view configuration) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(configuration));
    const std::map<std::string, std::string> modes = modes_in(resources_in(elements));
    std::set<std::string> without_level;
    for (const auto& [id, mode] : modes) {
        if (!mode.empty()) {
            without_level.insert(id);
        }
    }
    std::vector<std::string> wrong;
    for (const CibElement& element : elements) {
        if (!element.starts("fencing-level")) {
            continue;
        }
        bool decided = false;
        bool has_first = false;
        for (const std::string& id : split(element.attribute("devices"))) {
            const auto found = modes.find(id);
            const std::string mode = found == modes.end() ? "" : found->second;
            without_level.erase(id);
            has_first = has_first || mode == "first";
            decided = decided || mode.empty();
            if (mode == "confirm" && !decided) {
                wrong.push_back(fmt::format("no power device before {}", id));
            }
        }
        if (has_first && !decided) {
            wrong.push_back(fmt::format("no power device in {}", element.attribute("id")));
        }
    }
    for (const std::string& id : without_level) {
        wrong.push_back(fmt::format("{} is in no level", id));
    }
    return wrong;
}

Result<void> refuse_undecided(const std::string& cibadmin, std::chrono::milliseconds timeout) {
    VPNHA_TRY(const std::string configuration,
              adapters::query_cib(cibadmin, "configuration", timeout));
    VPNHA_TRY(const std::vector<std::string> wrong, undecided_in(configuration));
    if (wrong.empty()) {
        return {};
    }
    return fail(Errc::unsupported,
                fmt::format("by the fencing topology a node would be fenced that nobody switched "
                            "off: {}",
                            fmt::join(wrong, ", ")));
}

}  // namespace vpnha::stonith
