// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/members.hpp"

namespace vpnha::node {

void Members::set(const std::set<NodeId>& members, TimePoint now) {
    std::erase_if(since_, [&members](const auto& each) { return !members.contains(each.first); });
    for (const NodeId member : members) {
        since_.try_emplace(member, now);
    }
}

std::optional<TimePoint> Members::since(NodeId node) const {
    const auto found = since_.find(node);
    return found == since_.end() ? std::nullopt : std::optional(found->second);
}

std::string Members::name(NodeId node) const {
    const auto found = names_.find(node);
    return found == names_.end() ? std::string() : found->second;
}

}  // namespace vpnha::node
