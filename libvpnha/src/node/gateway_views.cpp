// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway shows of itself: to the CLI, to metrics, to the other nodes.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "node/gateway_node.hpp"

namespace vpnha::node {

std::vector<keepers::SessionView> GatewayNode::sessions() const {
    std::vector<keepers::SessionView> all;
    for (const auto& keeper : keepers_) {
        std::vector<keepers::SessionView> own = keeper->sessions();
        if (all.empty()) {
            all = std::move(own);
        } else {
            std::move(own.begin(), own.end(), std::back_inserter(all));
        }
    }
    return all;
}

keepers::Counts GatewayNode::counts() const {
    keepers::Counts all;
    for (const auto& keeper : keepers_) {
        for (const auto& [name, count] : keeper->counts()) {
            all[name] += count;
        }
    }
    return all;
}

wire::GatewayState GatewayNode::wire_state() const {
    return wire::GatewayState{.gateway = settings_.id,
                              .promoted = replica_.promoted(),
                              .unheard = holder_watch_.unheard(),
                              .outside_lost = links_.counts_as_lost(LinkSide::outside),
                              .inside_lost = links_.counts_as_lost(LinkSide::inside),
                              .acting = acting(),
                              .yields = replica_.promoted() && !acting() && lease_.state().yields,
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

}  // namespace vpnha::node
