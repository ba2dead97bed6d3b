// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/lease_size.hpp"

namespace vpnha::node {

namespace {

// All gateways of a node measure in the same turn of the loop: at multiples of this.
constexpr Duration kTurn = std::chrono::milliseconds(25);
constexpr Duration kStep = std::chrono::milliseconds(10);
// Measurements of less than an hour decide nothing.
constexpr Duration kEnough = std::chrono::hours(1);
// A vpnhad that starts reads files and meets the others, and serves nobody.
constexpr Duration kStart = std::chrono::seconds(10);
// Hellos come each second.
constexpr Duration kReceived = std::chrono::seconds(10);

TimePoint next_multiple(TimePoint now) {
    return TimePoint((now.time_since_epoch() / kTurn + 1) * kTurn);
}

// A renewal comes each quarter of L, so a loop may be late by the other three: twice the worst.
Duration lease_for(Duration worst) {
    const Duration exact = worst * 8 / 3;
    const Duration rounded = (exact + kStep - Duration(1)) / kStep * kStep;
    return std::clamp(rounded, LeaseSize::kNarrowest, LeaseSize::kWidest);
}

}  // namespace

LeaseSize::LeaseSize(Duration watch, TimePoint now)
    : recent_(watch / static_cast<Duration::rep>(kParts)),
      measures_from_(now + kStart),
      measures_until_(now + std::min(kEnough, watch)),
      next_turn_(next_multiple(now)) {}

void LeaseSize::on_turn(TimePoint now) {
    if (now < next_turn_) {
        return;
    }
    note(now - next_turn_, now);
    next_turn_ = next_multiple(now);
}

void LeaseSize::on_round(const lease::RoundId& id, TimePoint now) {
    Sent& sent = sent_.at(id.number % sent_.size());
    if (sent.id != id) {
        sent = {id, now};
    }
}

void LeaseSize::on_answer(const lease::RoundId& id, TimePoint now) {
    const Sent& sent = sent_.at(id.number % sent_.size());
    if (sent.id == id && id.number != 0) {
        note(now - sent.at, now);
    }
}

void LeaseSize::on_needs(NodeId node, Duration needs, TimePoint now) {
    others_[node] = {std::clamp(needs, kNarrowest, kWidest), now};
}

void LeaseSize::note(Duration late, TimePoint now) {
    if (now >= measures_from_) {
        recent_.note(late, now);
    }
}

Duration LeaseSize::needs(TimePoint now) const {
    return now < measures_until_ ? kWidest : lease_for(worst(now));
}

Duration LeaseSize::lease(const std::vector<NodeId>& voters, TimePoint now) const {
    const std::optional<NodeId> node = slowest(voters, now);
    return node ? others_.at(*node).lease : needs(now);
}

std::optional<NodeId> LeaseSize::slowest(const std::vector<NodeId>& voters, TimePoint now) const {
    std::optional<NodeId> slowest;
    Duration longest = needs(now);
    for (const NodeId node : voters) {
        const auto found = others_.find(node);
        if (found != others_.end() && now < found->second.received_at + kReceived &&
            found->second.lease > longest) {
            longest = found->second.lease;
            slowest = node;
        }
    }
    return slowest;
}

}  // namespace vpnha::node
