// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway shows of itself: to the CLI, to metrics, to the other nodes.
#include <algorithm>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

GatewayCounters GatewayNode::counters() const {
    return {.links_lost = links_.losses(),
            .given_away = links_.given_away(),
            .saves_failed = saved_.saves().failed(),
            .unanswered = wishes_.own_lease.unanswered(),
            .switchovers = wishes_.planned.taken(),
            .takeovers = history_.takeovers()};
}

std::string_view GatewayNode::role() const {
    // A node that another one stands in for is silent, whatever Pacemaker's monitor is told.
    return !attached()                                      ? "detached"
           : kept_until()                                   ? "stopped"
           : stands_in()                                    ? "standing-in"
           : is_promoted() && !stand_in_.deposed()          ? "promoted"
           : takeover_.state() == takeover::State::draining ? "draining"
                                                            : "unpromoted";
}

wire::GatewayState GatewayNode::wire_state() const {
    return wire::GatewayState{
        .gateway = settings_.id,
        .promoted = replica_.promoted(),
        .unheard = others_.holder.unheard(),
        .outside_lost = links_.counts_as_lost(LinkSide::outside),
        .inside_lost = links_.counts_as_lost(LinkSide::inside),
        .stands_in = stands_in(),
        .yields = replica_.promoted() && !stands_in() &&
                  saved_.engine().state().yields != lease::Yields::no,
        .ended_by_order = saved_.engine().voter().ended_by_order(replica_.epoch()),
        .claimed_partial = replica_.claimed_partial(),
        .level = replica_.level(),
        .standing = standing(),
        .epoch = replica_.epoch(),
        .sequence = replica_.sequence(),
        .macs = links_.macs(),
        .witness = voters_.witness().life().value};
}

std::vector<PlanRow> GatewayNode::plan() const {
    std::vector<PlanRow> rows;
    for (const auto& [node, state] : replica_.peers()) {
        if (node != replica_.holder()) {
            rows.push_back({node, state.standing, replica_.coverage(node)});
        }
    }
    if (!replica_.promoted()) {
        rows.push_back({self(), standing(), replica_.coverage(self())});
    }
    std::sort(rows.begin(), rows.end(),
              [](const PlanRow& a, const PlanRow& b) { return a.node < b.node; });
    return rows;
}

}  // namespace vpnha::node
