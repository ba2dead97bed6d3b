// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/voter_watch.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::node {

namespace {

constexpr Duration kHelloInterval = std::chrono::seconds(1);
// Three hellos; ten rounds.
constexpr Duration kUnreceived = std::chrono::seconds(3);
constexpr Duration kUnanswered = std::chrono::seconds(1);
// If a tick is later than this, the node is also behind with received messages.
constexpr Duration kBehind = std::chrono::milliseconds(500);

int spare_votes(const lease::VoterList& list, const std::vector<NodeId>& present) {
    return static_cast<int>(list.votes(present)) - static_cast<int>(list.needed());
}

}  // namespace

VoterWatch::VoterWatch(NodeId self, TimePoint now)
    : self_(self), next_tick_(now + kHelloInterval), since_(now) {}

void VoterWatch::on_message(const lease::Sender& sender, const lease::Message& message,
                            const lease::Engine& engine, TimePoint now) {
    const auto found = votes_.find(sender.node);
    if (found == votes_.end()) {
        return;
    }
    found->second.received_at = now;
    if (const auto* round = std::get_if<lease::Round>(&message)) {
        clocks_.note(sender, round->sent_at, now, engine.holder().timing().rate_ppm);
    }
    if (const auto* hello = std::get_if<lease::Hello>(&message); hello && hello->sent_at) {
        clocks_.note(sender, *hello->sent_at, now, engine.holder().timing().rate_ppm);
    }
    const auto* answer = std::get_if<lease::Answer>(&message);
    if (const auto* refusal = std::get_if<lease::Refusal>(&message)) {
        found->second.saves = refusal->reason != lease::Verdict::cannot_save;
    } else if (answer != nullptr) {
        found->second.saves = answer->saves;
    }
    if (answer != nullptr && engine.holder().phase() != lease::Phase::idle &&
        answer->id.epoch == engine.holder().epoch()) {
        found->second.answered_at = now;
    }
}

std::vector<VoterWatch::News> VoterWatch::on_tick(const lease::Engine& engine, TimePoint now) {
    if (now > next_tick_ + kBehind) {
        clocks_.begin_anew();
    }
    next_tick_ = now + kHelloInterval;
    const std::vector<NodeId> voters = engine.state().voters.all();
    std::erase_if(votes_,
                  [&voters](const auto& each) { return !lease::is_in(voters, each.first); });
    clocks_.keep(voters);
    for (const NodeId node : voters) {
        if (node != self_ && !votes_.contains(node)) {
            votes_.emplace(node, Vote{node, true, now, now, true});
        }
    }
    const bool asks = engine.holder().phase() != lease::Phase::idle;
    if (asks != asks_) {
        asks_ = asks;
        since_ = now;
    }
    std::vector<News> news;
    for (auto& [node, vote] : votes_) {
        const bool counted = std::exchange(vote.counts, counts(vote, now));
        if (vote.counts != counted) {
            news.push_back({node, vote.counts});
        }
    }
    return news;
}

bool VoterWatch::saves(NodeId node) const {
    const auto found = votes_.find(node);
    return found == votes_.end() || found->second.saves;
}

bool VoterWatch::counts(const Vote& vote, TimePoint now) const {
    if (!vote.saves) {
        return false;  // It answers renewals, and could grant nothing.
    }
    const std::optional<TimePoint>& last = asks_ ? vote.answered_at : vote.received_at;
    return now < std::max(last.value_or(since_), since_) + (asks_ ? kUnanswered : kUnreceived) +
                     kHelloInterval / 2;
}

std::vector<VoterWatch::Vote> VoterWatch::votes() const {
    std::vector<Vote> votes;
    for (const auto& [node, vote] : votes_) {
        votes.push_back(vote);
    }
    return votes;
}

int VoterWatch::reserve(const lease::Voters& voters) const {
    std::vector<NodeId> present{self_};
    for (const auto& [node, vote] : votes_) {
        if (vote.counts) {
            present.push_back(node);
        }
    }
    const int current = spare_votes(voters.current, present);
    return voters.next ? std::min(current, spare_votes(*voters.next, present)) : current;
}

}  // namespace vpnha::node
