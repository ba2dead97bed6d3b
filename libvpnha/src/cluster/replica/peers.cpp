// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/peers.hpp"

#include <algorithm>
#include <iterator>

#include "base/limits.hpp"

namespace vpnha::replica {

bool Peers::set_members(NodeId self, const std::set<NodeId>& present, bool quorate, TimePoint now) {
    const bool joined =
        !std::includes(members_.begin(), members_.end(), present.begin(), present.end());
    std::erase_if(strangers_, [&present](NodeId node) { return !present.contains(node); });
    std::erase_if(distrusted_, [&present](NodeId node) { return !present.contains(node); });
    std::copy_if(present.begin(), present.end(), std::inserter(strangers_, strangers_.end()),
                 [&](NodeId node) { return node != self && !members_.contains(node); });
    if (joined) {
        meeting_until_ = now + limits::kMeetingMax;
        is_meeting_ = true;
    }
    members_ = present;
    quorate_ = quorate;
    const auto is_absent = [&present](const auto& peer) { return !present.contains(peer.first); };
    std::erase_if(states_, is_absent);
    std::erase_if(confirmed_, is_absent);
    return joined;
}

void Peers::forget(NodeId node) {
    states_.erase(node);
    confirmed_.erase(node);
}

bool Peers::distrust(NodeId node) {
    meet(node);
    forget(node);
    return distrusted_.insert(node).second;
}

void Peers::confirm(NodeId node, const wire::Confirm& confirm) {
    confirmed_[node] = {
        confirm.sequence, confirm.held, {confirm.refused.begin(), confirm.refused.end()}};
}

const Peers::Confirmed* Peers::confirmed_by(NodeId node) const {
    const auto found = confirmed_.find(node);
    return found == confirmed_.end() ? nullptr : &found->second;
}

wire::Version Peers::reached(NodeId node, const Epoch& epoch) const {
    const auto found = states_.find(node);
    if (found == states_.end()) {
        return {};
    }
    wire::Version reached{found->second.epoch, found->second.sequence};
    if (const Confirmed* confirmed = confirmed_by(node); confirmed && reached.epoch == epoch) {
        reached.sequence = std::max(reached.sequence, confirmed->held);
    }
    return reached;
}

bool Peers::have(const Epoch& epoch, wire::RecordType type, const wire::Version& version) const {
    return std::any_of(confirmed_.begin(), confirmed_.end(),
                       [&](const auto& peer) { return peer.second.covers(epoch, type, version); });
}

}  // namespace vpnha::replica
