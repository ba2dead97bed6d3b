// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/witness_watch.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::node {

namespace {

// Three hellos.
constexpr Duration kWitnessSilent = std::chrono::seconds(3);
// The witness first abstains and asks the nodes what they remember; and a reserve.
constexpr Duration kWitnessSettle = std::chrono::seconds(1);
// One node may receive a restarted witness up to a second before the other node does.
constexpr Duration kWitnessesAgree = std::chrono::seconds(3);

// About a claim of the other node, an opinion reports only that the promise to it holds.
std::optional<TimePoint> answered_other(const lease::Opinion& opinion, TimePoint now) {
    const NodeId granted = opinion.granted.node;
    const NodeId asker = opinion.id.epoch.node;
    if (opinion.answered_ago) {
        return now - *opinion.answered_ago;
    }
    const bool is_promised =
        opinion.verdict == lease::Verdict::promised && granted != NodeId{} && granted != asker;
    return is_promised ? std::optional(now) : std::nullopt;
}

}  // namespace

void WitnessWatch::on_message(const lease::Sender& sender, const lease::Message& message,
                              TimePoint now) {
    if (life_ != sender.instance || !is_answering(now)) {
        if (life_ != sender.instance) {
            if (former_ == sender.instance) {
                returned_at_ = now;
            }
            former_ = std::exchange(life_, sender.instance);
        }
        remembers_ = false;
        since_ = now;
    }
    received_at_ = now;
    if (std::holds_alternative<lease::Hello>(message) && asked_at_) {
        round_trip_ = now - *std::exchange(asked_at_, std::nullopt);
    }
    if (const auto* const memory = std::get_if<lease::Memory>(&message)) {
        remembers_ = memory->voters.newest().has_version();
    }
    if (const auto* const opinion = std::get_if<lease::Opinion>(&message)) {
        opinion_at_ = now;
        answered_other_at_ = answered_other(*opinion, now);
    }
}

std::optional<bool> WitnessWatch::take_news(TimePoint now) {
    const bool received = is_answering(now);
    return std::exchange(notified_, received) == received ? std::nullopt : std::optional(received);
}

std::optional<bool> WitnessWatch::compare(const std::vector<lease::Instance>& received_by_others,
                                          TimePoint now) {
    const lease::Instance own = life();
    const bool differs = std::any_of(
        received_by_others.begin(), received_by_others.end(), [own](const lease::Instance life) {
            return own != lease::Instance{} && life != lease::Instance{} && life != own;
        });
    if (!differs) {
        other_since_.reset();
    } else if (!other_since_) {
        other_since_ = now;
    }
    const bool two = (other_since_ && now >= *other_since_ + kWitnessesAgree) ||
                     (returned_at_ && now < *returned_at_ + kWitnessesAgree);
    return std::exchange(two_, two) == two ? std::nullopt : std::optional(two);
}

bool WitnessWatch::is_answering(TimePoint now) const {
    return received_at_ && now < *received_at_ + kWitnessSilent;
}

bool WitnessWatch::may_answer_other(TimePoint since, Duration within, TimePoint now) const {
    return !opinion_at_ || *opinion_at_ < since ||
           (answered_other_at_ && now < *answered_other_at_ + within);
}

bool WitnessWatch::may_be_added(TimePoint now) const {
    return is_answering(now) && remembers_ && !differing_ && !two_ &&
           now >= since_ + kWitnessSettle;
}

}  // namespace vpnha::node
