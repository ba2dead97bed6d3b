// SPDX-License-Identifier: GPL-2.0-or-later
#include "lease/replay_guard.hpp"

#include <algorithm>

namespace vpnha::lease {

namespace {

constexpr std::uint64_t kWindow = 64;

}  // namespace

const ReplayGuard::Peer* ReplayGuard::find(NodeId node) const {
    const auto peer = std::find_if(peers_.begin(), peers_.end(),
                                   [node](const Peer& each) { return each.node == node; });
    return peer == peers_.end() ? nullptr : &*peer;
}

ReplayGuard::Seen ReplayGuard::on_datagram(const Sender& sender, std::uint64_t sequence,
                                           const Message& message) {
    const auto peer = std::find_if(peers_.begin(), peers_.end(), [&sender](const Peer& each) {
        return each.node == sender.node;
    });
    if (peer == peers_.end()) {
        return Seen::replayed;
    }
    if (sender.instance != peer->instance) {
        const auto* const hello = std::get_if<Hello>(&message);
        if (hello == nullptr || hello->repeated != Challenge{self_, peer->challenge}) {
            return Seen::unproven;
        }
        *peer = {sender.node, ++last_challenge_, sender.instance, sequence, 1};
        return Seen::new_life;
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

std::optional<Hello> ReplayGuard::greeting(NodeId to, const Sender& sender,
                                           const Hello* hello) const {
    const Peer* const peer = find(to);
    if (peer == nullptr) {
        return std::nullopt;
    }
    Hello greeting;
    if (peer->instance != sender.instance) {
        greeting.challenge = peer->challenge;
    }
    if (hello != nullptr && hello->challenge) {
        greeting.repeated = Challenge{sender.instance, *hello->challenge};
    }
    return greeting.challenge || greeting.repeated ? std::optional(greeting) : std::nullopt;
}

Hello ReplayGuard::greeting(NodeId to) const {
    const Peer* const peer = find(to);
    return {peer == nullptr ? std::nullopt : std::optional(peer->challenge), std::nullopt};
}

bool ReplayGuard::hears(NodeId node) const {
    const Peer* const peer = find(node);
    return peer != nullptr && peer->instance != Instance{};
}

void ReplayGuard::set_senders(const std::vector<NodeId>& nodes) {
    std::erase_if(peers_, [&nodes](const Peer& peer) { return !is_in(nodes, peer.node); });
    for (const NodeId node : nodes) {
        if (find(node) == nullptr) {
            peers_.push_back({node, ++last_challenge_, {}});
        }
    }
}

}  // namespace vpnha::lease
