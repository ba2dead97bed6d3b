// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_views.hpp"

#include <algorithm>

namespace vpnha::node {

std::string_view GatewayView::role() const {
    // A node that another one stands in for is silent, whatever its monitor reports to Pacemaker.
    return !parts_.attachment.attached()                          ? "detached"
           : parts_.attachment.kept_until()                       ? "stopped"
           : stands_in()                                          ? "standing-in"
           : is_promoted() && !parts_.stand_in.deposed()          ? "promoted"
           : parts_.takeover.state() == takeover::State::draining ? "draining"
                                                                  : "unpromoted";
}

bool GatewayView::can_serve_all() const {
    // A kernel may refuse what it is still installing, as after a snapshot.
    return standing() == wire::Level::complete && parts_.replica.installing_sessions() == 0;
}

bool GatewayView::others_have_records() const {
    return std::ranges::any_of(parts_.replica.peers(), [this](const auto& peer) {
        const wire::GatewayState& state = peer.second;
        return state.epoch >= parts_.replica.epoch() &&
               (state.promoted || state.standing == wire::Level::complete);
    });
}

bool GatewayView::keeps_records() const {
    const bool has_successor =
        parts_.attachment.has_served() && parts_.replica.holder().value_or(self()) != self();
    return parts_.replica.level() != wire::Level::empty &&
           !parts_.replica.store().records().empty() && !has_successor;
}

std::optional<std::pair<NodeId, unsigned>> GatewayView::best_standby() const {
    std::optional<std::pair<NodeId, unsigned>> best;
    for (const auto& [node, state] : parts_.replica.peers()) {
        const unsigned lost = (state.outside_lost ? 1U : 0U) + (state.inside_lost ? 1U : 0U);
        if (state.standing == wire::Level::complete && state.epoch == parts_.replica.epoch() &&
            (!best || lost < best->second)) {
            best = std::pair(node, lost);
        }
    }
    return best;
}

HolderWatch::Sight GatewayView::sight() const {
    return {self(),
            parts_.replica,
            parts_.lease.engine(),
            parts_.attachment.attached(),
            !parts_.attachment.resource().empty(),
            parts_.stand_in.wanted()};
}

std::string GatewayView::name_of(NodeId node) const {
    const std::string name = parts_.members.name(node);
    return name.empty() ? std::to_string(node.value) : name;
}

wire::GatewayState GatewayView::wire_state() const {
    return wire::GatewayState{
        .gateway = parts_.settings.id,
        .promoted = parts_.replica.promoted(),
        .unreceived = parts_.holder.unreceived(),
        .outside_lost = parts_.links.counts_as_lost(LinkSide::outside),
        .inside_lost = parts_.links.counts_as_lost(LinkSide::inside),
        .stands_in = stands_in(),
        .yields = parts_.replica.promoted() && !stands_in() &&
                  parts_.lease.engine().state().yields != lease::Yields::no,
        .ended_by_order = parts_.lease.engine().voter().ended_by_order(parts_.replica.epoch()),
        .claimed_partial = parts_.replica.claimed_partial(),
        .level = parts_.replica.level(),
        .standing = standing(),
        .epoch = parts_.replica.epoch(),
        .sequence = parts_.replica.sequence(),
        .macs = parts_.links.macs(),
        .witness = parts_.voters.witness().life().value};
}

wire::GatewayState GatewayView::state_of(NodeId node) const {
    const auto peer = parts_.replica.peers().find(node);
    return node == self()                         ? wire_state()
           : peer == parts_.replica.peers().end() ? wire::GatewayState{}
                                                  : peer->second;
}

std::vector<PlanRow> GatewayView::plan() const {
    std::vector<PlanRow> rows;
    for (const auto& [node, state] : parts_.replica.peers()) {
        if (node != parts_.replica.holder()) {
            rows.push_back({node, state.standing, parts_.replica.coverage(node)});
        }
    }
    if (!parts_.replica.promoted()) {
        rows.push_back({self(), standing(), parts_.replica.coverage(self())});
    }
    std::sort(rows.begin(), rows.end(),
              [](const PlanRow& a, const PlanRow& b) { return a.node < b.node; });
    return rows;
}

GatewayCounters GatewayView::counters() const {
    return {.links_lost = parts_.links.losses(),
            .given_away = parts_.links.given_away(),
            .saves_failed = parts_.lease.saves().failed(),
            .unanswered = parts_.own_lease.unanswered(),
            .switchovers = parts_.planned.taken(),
            .takeovers = parts_.history.takeovers()};
}

}  // namespace vpnha::node
