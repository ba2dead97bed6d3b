// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/replay_guard.hpp"

#include <algorithm>

namespace vpnha::lease {

namespace {

constexpr std::uint64_t kBits = 64;  // Of a word of the ring.

}  // namespace

bool ReplayGuard::Peer::take(std::uint64_t sequence) {
    if (sequence + kReplayWindow <= newest) {
        return false;
    }
    if (sequence > newest) {
        const std::uint64_t begun = sequence / kBits - newest / kBits;
        for (std::uint64_t i = 1; i <= std::min<std::uint64_t>(begun, kReplayWords); ++i) {
            seen[(newest / kBits + i) % kReplayWords] = 0;
        }
        newest = sequence;
    }
    std::uint64_t& word = seen[sequence / kBits % kReplayWords];
    const std::uint64_t bit = std::uint64_t{1} << sequence % kBits;
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
}

void ReplayGuard::Peer::take_all_until(std::uint64_t sequence) {
    seen.fill(~std::uint64_t{0});
    // Later ones of the same word are the upper bits.
    seen[sequence / kBits % kReplayWords] = ~std::uint64_t{0} >> (kBits - 1 - sequence % kBits);
    newest = sequence;
}

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
        *peer = {sender.node, ++last_challenge_, sender.instance};
        peer->take_all_until(sequence);
        return Seen::new_life;
    }
    return peer->take(sequence) ? Seen::fresh : Seen::replayed;
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

bool ReplayGuard::receives(NodeId node) const {
    const Peer* const peer = find(node);
    return peer != nullptr && peer->instance != Instance{};
}

void ReplayGuard::set_senders(const std::vector<NodeId>& nodes) {
    std::erase_if(peers_, [&nodes](const Peer& peer) { return !is_in(nodes, peer.node); });
    for (const NodeId node : nodes) {
        if (find(node) == nullptr) {
            peers_.push_back({node, ++last_challenge_, {}, 0, {}});
        }
    }
}

}  // namespace vpnha::lease
