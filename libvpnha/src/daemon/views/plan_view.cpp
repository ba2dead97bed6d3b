// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/plan_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/views/views.hpp"

namespace vpnha::runtime {

namespace {

using nlohmann::json;

json id_or_null(std::optional<NodeId> node) {
    return node ? json(node->value) : json(nullptr);
}

json gateway_plan(const node::Node& node, const node::GatewayNode& gateway,
                  std::optional<NodeId> without) {
    const replica::Replica& replica = gateway.cores().replica;
    const std::optional<NodeId> holder = replica.holder();
    const std::uint64_t sessions = replica.store().size_of(wire::Service::session);
    const std::optional<NodeId> dead = without ? without : holder;
    const bool holder_stays = holder && dead != holder;

    std::vector<node::PlanRow> rows = gateway.view().plan();
    std::erase_if(rows, [dead](const node::PlanRow& row) { return row.node == dead; });
    // As Pacemaker decides by the promotion scores; among equal ones it is free.
    wire::Level best = wire::Level::empty;
    for (const node::PlanRow& row : rows) {
        best = std::max(best, row.standing);
    }
    std::uint64_t lost = holder_stays || !rows.empty() ? 0 : sessions;
    json candidates = json::array();
    for (const node::PlanRow& row : rows) {
        // A node without a message in this epoch is expected to keep nothing.
        const std::uint64_t missing = row.coverage.known ? row.coverage.missing : sessions;
        const bool may_serve = !holder_stays && row.standing == best;
        lost = may_serve ? std::max(lost, missing) : lost;
        candidates.push_back({{"node", row.node.value},
                              {"name", name_of_member(node, row.node)},
                              {"standing", runtime::name_of(row.standing)},
                              {"known", row.coverage.known},
                              {"kept", row.coverage.known ? row.coverage.held : 0},
                              {"lost", missing},
                              {"may_be_promoted", may_serve}});
    }
    return {{"name", gateway.cores().settings.name},
            {"id", gateway.cores().settings.id.value},
            {"promoted_node", id_or_null(holder)},
            {"without", id_or_null(dead)},
            {"stays", holder_stays},
            {"sessions", sessions},
            {"candidates", std::move(candidates)},
            {"lost", lost}};
}

}  // namespace

Result<std::optional<NodeId>> parse_member(const node::Node& node, const std::string& text) {
    if (text.empty()) {
        return std::optional<NodeId>();
    }
    std::string known;
    for (const NodeId member : node.members()) {
        const json name = name_of_member(node, member);
        if (name == text || std::to_string(member.value) == text) {
            return std::optional(member);
        }
        known +=
            fmt::format("{}{}", known.empty() ? "" : ", ",
                        name.is_string() ? name.get<std::string>() : std::to_string(member.value));
    }
    return fail(Errc::not_found,
                fmt::format("no node '{}' runs vpnhad; name one of: {}", text, known));
}

json plan_view(const node::Node& node, std::optional<GatewayId> only,
               std::optional<NodeId> without) {
    json gateways = json::array();
    for (const auto& [id, gateway] : node.gateways()) {
        if (!only || *only == id) {
            gateways.push_back(gateway_plan(node, gateway, without));
        }
    }
    return {{"gateways", std::move(gateways)}};
}

}  // namespace vpnha::runtime
