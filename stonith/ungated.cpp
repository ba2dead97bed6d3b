// SPDX-License-Identifier: GPL-2.0-or-later
#include "ungated.hpp"

#include <fmt/format.h>

#include "cib.hpp"

namespace vpnha::stonith {

namespace {

bool is_gated(std::string_view element) {
    const std::string kind = attribute(element, "class");
    // Around the addresses of ocf:vpnha:vip there is no gate.
    const bool is_behind_gate = kind == "ocf" && attribute(element, "provider") == "vpnha" &&
                                attribute(element, "type") != "vip";
    return kind == "stonith" || is_behind_gate ||
           // Its template says what it is, and is looked at, too.
           (kind.empty() && !attribute(element, "template").empty());
}

}  // namespace

std::vector<std::string> ungated_in(std::string_view resources) {
    std::vector<std::string> ids;
    for (const std::string_view element : elements_of(resources)) {
        const bool is_bundle = element.starts_with("<bundle ");
        const bool is_resource =
            element.starts_with("<primitive ") || element.starts_with("<template ");
        if (is_bundle || (is_resource && !is_gated(element))) {
            ids.push_back(attribute(element, "id"));
        }
    }
    return ids;
}

Result<std::vector<std::string>> find_ungated(const std::string& cibadmin,
                                              std::chrono::milliseconds timeout) {
    const Result<std::string> resources = query_cib(cibadmin, "resources", timeout);
    if (resources) {
        return ungated_in(*resources);
    }
    return fail(Errc::system,
                fmt::format("{} does not show the resources of the cluster ({}), so there may be "
                            "some that outlive the loss of the leases",
                            cibadmin, resources.error().detail));
}

}  // namespace vpnha::stonith
