// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/move_view.hpp"

#include <algorithm>

namespace vpnha::runtime {

namespace {

using nlohmann::json;

json node_view(const node::GatewayNode& gateway, NodeId node) {
    return {{"id", node.value}, {"name", gateway.view().name_of(node)}};
}

}  // namespace

json move_view(const node::GatewayNode& gateway, const node::MovePlan& plan,
               std::string_view state) {
    return {{"gateway", gateway.cores().settings.name},
            {"epoch", to_string(plan.epoch)},
            {"state", state},
            {"from", node_view(gateway, plan.from)},
            {"to", node_view(gateway, plan.to)},
            {"sessions", state == "moving" ? json(nullptr)
                                           : json(gateway.cores().keepers.session_totals().all)},
            {"moved", nullptr},
            {"lost", nullptr},
            {"silence_ms", nullptr}};
}

json moved_view(const node::GatewayNode& gateway, const std::string& epoch) {
    const std::optional<NodeId> holder = gateway.cores().replica.holder();
    json view{{"gateway", gateway.cores().settings.name},
              {"epoch", epoch},
              {"state", "moved"},
              {"from", nullptr},
              {"to", holder ? node_view(gateway, *holder) : json(nullptr)},
              {"sessions", nullptr},
              {"moved", nullptr},
              {"lost", nullptr},
              {"silence_ms", nullptr}};
    const std::optional<node::PlannedMove::Report>& report = gateway.moves().planned().report();
    if (!report || report->epoch != gateway.cores().replica.epoch()) {
        return view;
    }
    if (report->silence) {
        view["silence_ms"] = std::chrono::duration<double, std::milli>(*report->silence).count();
    }
    if (report->had && report->kept) {
        const std::uint32_t moved = std::min(*report->had, *report->kept);
        view["sessions"] = *report->had;
        view["moved"] = moved;
        view["lost"] = *report->had - moved;
    }
    return view;
}

}  // namespace vpnha::runtime
