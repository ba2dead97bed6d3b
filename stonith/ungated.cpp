// SPDX-License-Identifier: GPL-2.0-or-later
#include "ungated.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/pacemaker/cib.hpp"

namespace vpnha::stonith {

namespace {

using adapters::attribute;
using adapters::elements_of;

using Elements = std::vector<std::string_view>;

// Of a resource, whose element this is: does ocf:vpnha:pppd only look at a gateway's sessions? In
// its other mode it dials, and whoever does not say which mode it is may be dialling.
bool only_looks(Elements::const_iterator element, Elements::const_iterator end) {
    const auto closing = [](std::string_view other) {
        return other.starts_with("</primitive") || other.starts_with("</template");
    };
    if (element->ends_with('/')) {
        return false;
    }
    return std::any_of(element, std::find_if(element, end, closing), [](std::string_view inside) {
        return inside.starts_with("<nvpair ") && attribute(inside, "name") == "mode" &&
               attribute(inside, "value") == "gateway";
    });
}

bool is_gated(Elements::const_iterator at, Elements::const_iterator end) {
    const std::string_view element = *at;
    const std::string kind = attribute(element, "class");
    const std::string type = attribute(element, "type");
    // There is no gate around the addresses of ocf:vpnha:vip, and none around an outgoing link.
    const bool is_behind_gate = kind == "ocf" && attribute(element, "provider") == "vpnha" &&
                                type != "vip" && (type != "pppd" || only_looks(at, end));
    return kind == "stonith" || is_behind_gate ||
           // Its template says what it is, and is looked at, too.
           (kind.empty() && !attribute(element, "template").empty());
}

}  // namespace

std::vector<std::string> ungated_in(std::string_view resources) {
    std::vector<std::string> ids;
    const Elements elements = elements_of(resources);
    for (auto at = elements.begin(); at != elements.end(); ++at) {
        const std::string_view element = *at;
        const bool is_bundle = element.starts_with("<bundle ");
        const bool is_resource =
            element.starts_with("<primitive ") || element.starts_with("<template ");
        if (is_bundle || (is_resource && !is_gated(at, elements.end()))) {
            ids.push_back(attribute(element, "id"));
        }
    }
    return ids;
}

Result<std::vector<std::string>> find_ungated(const std::string& cibadmin,
                                              std::chrono::milliseconds timeout) {
    const Result<std::string> resources = adapters::query_cib(cibadmin, "resources", timeout);
    if (resources) {
        return ungated_in(*resources);
    }
    return fail(Errc::system,
                fmt::format("{} does not show the resources of the cluster ({}), so there may be "
                            "some that outlive the loss of the leases",
                            cibadmin, resources.error().detail));
}

}  // namespace vpnha::stonith
