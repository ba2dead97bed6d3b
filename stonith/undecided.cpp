// SPDX-License-Identifier: GPL-2.0-or-later
#include "undecided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "adapters/pacemaker/cib.hpp"

namespace vpnha::stonith {

namespace {

using adapters::attribute;
using adapters::elements_of;

struct Device {
    std::string type;
    std::string origin;  // Its template.
    std::string mode;
};
using Devices = std::map<std::string, Device>;

Devices devices_in(const std::vector<std::string_view>& elements) {
    Devices devices;
    Device* last = nullptr;
    for (const std::string_view element : elements) {
        if (element.starts_with("<primitive ") || element.starts_with("<template ")) {
            last = &devices[attribute(element, "id")];
            *last = {attribute(element, "type"), attribute(element, "template"), ""};
        }
        if (element.starts_with("</primitive") || element.starts_with("</template")) {
            last = nullptr;
        }
        if (last != nullptr && element.starts_with("<nvpair ") &&
            attribute(element, "name") == "mode") {
            last->mode = attribute(element, "value");
        }
    }
    return devices;
}

// Of fence_vpnha; nothing for any other agent, which decides.
std::string mode_of(const Devices& devices, const std::string& id) {
    const auto found = devices.find(id);
    if (found == devices.end()) {
        return "";
    }
    const auto origin = devices.find(found->second.origin);
    const bool has_origin = origin != devices.end();
    const std::string& type = has_origin ? origin->second.type : found->second.type;
    const bool is_own = !found->second.mode.empty() || !has_origin;
    return type != "fence_vpnha" ? "" : is_own ? found->second.mode : origin->second.mode;
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

std::vector<std::string> undecided_in(std::string_view configuration) {
    const std::vector<std::string_view> elements = elements_of(configuration);
    const Devices devices = devices_in(elements);
    std::set<std::string> without_level;
    for (const std::string_view element : elements) {
        const std::string id = attribute(element, "id");
        const std::string mode = mode_of(devices, id);
        if (element.starts_with("<primitive ") && (mode == "yield" || mode == "confirm")) {
            without_level.insert(id);
        }
    }
    std::vector<std::string> wrong;
    for (const std::string_view element : elements) {
        if (!element.starts_with("<fencing-level ")) {
            continue;
        }
        bool decided = false;
        bool has_yield = false;
        for (const std::string& id : split(attribute(element, "devices"))) {
            const std::string mode = mode_of(devices, id);
            without_level.erase(id);
            has_yield = has_yield || mode == "yield";
            decided = decided || (mode != "yield" && mode != "confirm");
            if (mode == "confirm" && !decided) {
                wrong.push_back(fmt::format("no power device before {}", id));
            }
        }
        if (has_yield && !decided) {
            wrong.push_back(fmt::format("no power device in {}", attribute(element, "id")));
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
    const std::vector<std::string> wrong = undecided_in(configuration);
    if (wrong.empty()) {
        return {};
    }
    return fail(Errc::unsupported,
                fmt::format("by the fencing topology a node would be fenced that nobody switched "
                            "off: {}",
                            fmt::join(wrong, ", ")));
}

}  // namespace vpnha::stonith
