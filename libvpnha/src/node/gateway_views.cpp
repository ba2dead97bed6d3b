// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway shows of itself: to the CLI, to metrics, to the other nodes.
#include <fmt/format.h>

#include <algorithm>

#include "node/gateway_node.hpp"

namespace vpnha::node {

std::vector<SessionView> GatewayNode::sessions() const {
    std::vector<SessionView> views;
    for (const auto& [key, stored] : replica_.store().all(wire::RecordType::l2tp_session)) {
        Result<l2tp::SessionRecord> record = l2tp::parse_record(stored.payload);
        if (!record) {
            continue;
        }
        SessionView view{std::move(*record), SessionState::hot, stored.version.epoch, {}};
        if (const auto refusal = refusals_.find(key); refusal != refusals_.end()) {
            view.state = SessionState::quarantined;
            view.reason = refusal->second;
        } else if (replica_.promoted()) {
            const bool is_protected = replica_.is_protected(key);
            view.state = resumed_sessions_.contains(view.record.key) ? SessionState::resumed
                                                                     : SessionState::protected_;
            if (!is_protected) {
                view.state = SessionState::unprotected;
                view.reason = replica_.quorate() ? "no standby has confirmed it"
                                                 : "this side of the cluster has no quorum";
            }
        } else if (stored.hold != replica::Hold::installed) {
            view.state = SessionState::unprotected;
            view.reason = "not yet in this node's kernel";
        }
        views.push_back(std::move(view));
    }
    for (const auto& [plugin, session] : stock_) {
        if (!session.not_resumable.empty()) {
            views.push_back({session.record, SessionState::unprotected, replica_.epoch(),
                             session.not_resumable});
        }
    }
    return views;
}

wire::GatewayState GatewayNode::wire_state() const {
    return wire::GatewayState{.gateway = settings_.id,
                              .promoted = replica_.promoted(),
                              .unheard = holder_unheard_,
                              .outside_lost = links_.counts_as_lost(LinkSide::outside),
                              .inside_lost = links_.counts_as_lost(LinkSide::inside),
                              .acting = acting(),
                              .level = replica_.level(),
                              .standing = standing(),
                              .epoch = replica_.epoch()};
}

wire::Level GatewayNode::standing() const {
    const wire::Level level = replica_.level();
    if (unreset_) {
        return wire::Level::empty;
    }
    const bool hampered =
        !replica_.promoted() && (replica_.quarantined() > 0 || !differences_.empty());
    return hampered ? std::min(level, wire::Level::partial) : level;
}

std::vector<std::string> GatewayNode::stands_in_the_way() const {
    std::vector<std::string> reasons;
    if (const auto doubt = replica_.doubt()) {
        reasons.push_back(fmt::format("asks for a snapshot: {}", to_string(*doubt)));
    }
    if (!replica_.promoted() && replica_.quarantined() > 0) {
        reasons.push_back(fmt::format("{} records cannot be applied here", replica_.quarantined()));
    }
    if (unreset_) {
        reasons.emplace_back("the stock services of its last promotion have not ended");
    }
    for (const std::string& item : differences_) {
        reasons.push_back(fmt::format("{} differs from the promoted node's", item));
    }
    return reasons;
}

std::vector<PlanRow> GatewayNode::plan() const {
    std::vector<PlanRow> rows;
    for (const auto& [node, state] : replica_.peers()) {
        if (node != replica_.holder()) {
            rows.push_back({node, state.standing, replica_.coverage(node)});
        }
    }
    if (!replica_.promoted()) {
        rows.push_back({self_, standing(), replica_.coverage(self_)});
    }
    std::sort(rows.begin(), rows.end(),
              [](const PlanRow& a, const PlanRow& b) { return a.node < b.node; });
    return rows;
}

l2tp::TunnelCounters GatewayNode::tunnel_counters() const {
    l2tp::TunnelCounters sum = past_tunnels_;
    for (const auto& [key, resumed] : resumed_) {
        sum += resumed.tunnel.counters();
    }
    return sum;
}

}  // namespace vpnha::node
