// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway shows of itself: to the CLI, to metrics, to the other nodes.
#include "node/gateway_node.hpp"

namespace vpnha::node {

std::vector<SessionView> GatewayNode::sessions() const {
    std::vector<SessionView> views;
    for (const auto& [key, stored] : replica_.store().records()) {
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
                view.reason = "no standby has confirmed it";
            }
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
    return wire::GatewayState{settings_.id, replica_.promoted(), replica_.level(),
                              replica_.epoch()};
}

l2tp::TunnelCounters GatewayNode::tunnel_counters() const {
    l2tp::TunnelCounters sum = past_tunnels_;
    for (const auto& [key, resumed] : resumed_) {
        sum += resumed.tunnel.counters();
    }
    return sum;
}

}  // namespace vpnha::node
