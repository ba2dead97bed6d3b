// SPDX-License-Identifier: GPL-2.0-or-later
#include "ungated.hpp"

#include <fmt/format.h>

#include "cib_resources.hpp"
#include "host/pacemaker/cib.hpp"

namespace vpnha::stonith {

namespace {

// ocf:vpnha:pppd that only looks at a gateway's sessions. In its other mode it dials, and whoever
// does not say which mode it is may be dialling.
bool only_looks(const CibResource& resource) {
    return resource.values("mode") == std::set<std::string>{"gateway"};
}

// There is no gate around the addresses of ocf:vpnha:vip, and none around an outgoing link.
bool is_gated(const CibResource& resource) {
    const bool is_behind_gate = resource.standard == "ocf" && resource.provider == "vpnha" &&
                                resource.type != "vip" &&
                                (resource.type != "pppd" || only_looks(resource));
    return resource.kind != CibResource::Kind::bundle &&
           (resource.standard == "stonith" || is_behind_gate);
}

}  // namespace

Result<std::vector<std::string>> ungated_in(std::string_view resources) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(resources));
    std::vector<std::string> ids;
    for (const CibResource& resource : resources_in(elements)) {
        if (!is_gated(resource)) {
            ids.push_back(resource.id);
        }
    }
    return ids;
}

Result<std::vector<std::string>> find_ungated(const std::string& cibadmin,
                                              std::chrono::milliseconds timeout) {
    const Result<std::vector<std::string>> ids =
        adapters::query_cib(cibadmin, "resources", timeout).and_then(ungated_in);
    if (ids) {
        return ids;
    }
    return fail(Errc::system,
                fmt::format("{} does not show the resources of the cluster ({}), so there may be "
                            "some that outlive the loss of the leases",
                            cibadmin, ids.error().detail));
}

}  // namespace vpnha::stonith
