// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/nodes_view.hpp"

#include "host/corosync/cluster_nodes.hpp"

namespace vpnha::runtime {

using nlohmann::json;

json nodes_view(const node::Node& node, const std::vector<adapters::ClusterNode>& nodes,
                TimePoint now) {
    Names names = node.announced_names();
    names[node.settings().self] = node.settings().name;
    json views = json::array();
    for (const adapters::ClusterNode& each : nodes) {
        json view{{"id", each.id.value},
                  {"name", name_of(each, names)},
                  {"self", each.id == node.settings().self},
                  {"fenced", node.is_marked(each.id)},
                  {"gateways", node.gateways_of(each.id)},
                  {"lost_ms", nullptr},
                  {"won_duel", node.has_lost_to(each.id, now)}};
        if (const std::optional<TimePoint> lost = node.lost_at(each.id)) {
            view["lost_ms"] =
                std::chrono::duration_cast<std::chrono::milliseconds>(now - *lost).count();
        }
        views.push_back(std::move(view));
    }
    return {{"nodes", std::move(views)}};
}

}  // namespace vpnha::runtime
