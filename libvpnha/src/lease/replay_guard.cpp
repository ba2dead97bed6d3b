// SPDX-License-Identifier: GPL-2.0-or-later
#include "lease/replay_guard.hpp"

#include <algorithm>

namespace vpnha::lease {

namespace {

constexpr std::uint64_t kWindow = 64;

}  // namespace

ReplayGuard::ReplayGuard(const std::vector<Known>& known) {
    // What was heard of that instance before this node's start is not known: until the sender's
    // next datagram one of them may be played back, and only repeats what that instance said.
    for (const Known& peer : known) {
        peers_.push_back({peer.node, peer.instance});
    }
}

ReplayGuard::Seen ReplayGuard::on_datagram(const Sender& sender, std::uint64_t sequence) {
    const auto peer = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& candidate) {
        return candidate.node == sender.node;
    });
    if (peer == peers_.end() || sender.instance < peer->instance) {
        return Seen::replayed;
    }
    if (sender.instance > peer->instance) {
        *peer = {sender.node, sender.instance, sequence, 1};
        return Seen::new_instance;
    }
    if (sequence > peer->newest) {
        const std::uint64_t ahead = sequence - peer->newest;
        peer->window = (ahead < kWindow ? peer->window << ahead : 0) | 1;
        peer->newest = sequence;
        return Seen::fresh;
    }
    const std::uint64_t behind = peer->newest - sequence;
    if (behind >= kWindow || (peer->window >> behind & 1) != 0) {
        return Seen::replayed;
    }
    peer->window |= std::uint64_t{1} << behind;
    return Seen::fresh;
}

void ReplayGuard::set_senders(const std::vector<NodeId>& nodes) {
    const auto is_listed = [&nodes](NodeId node) {
        return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
    };
    std::erase_if(peers_, [&](const Peer& peer) { return !is_listed(peer.node); });
    for (const NodeId node : nodes) {
        if (std::none_of(peers_.begin(), peers_.end(),
                         [node](const Peer& peer) { return peer.node == node; })) {
            peers_.push_back({node, {}});
        }
    }
}

std::vector<ReplayGuard::Known> ReplayGuard::known() const {
    std::vector<Known> known;
    for (const Peer& peer : peers_) {
        if (peer.instance != Instance{}) {
            known.push_back({peer.node, peer.instance});
        }
    }
    return known;
}

}  // namespace vpnha::lease
