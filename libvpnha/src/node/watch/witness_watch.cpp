// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/watch/witness_watch.hpp"

#include <utility>

namespace vpnha::node {

namespace {

// Three hellos.
constexpr Duration kWitnessUnheard = std::chrono::seconds(3);
// It abstains at first, and asks the nodes what they remember; and a bit.
constexpr Duration kWitnessSettle = std::chrono::seconds(1);

}  // namespace

void WitnessWatch::on_message(const lease::Sender& sender, const lease::Message& message,
                              TimePoint now) {
    if (life_ != sender.instance || !is_heard(now)) {
        life_ = sender.instance;
        remembers_ = false;
        since_ = now;
    }
    heard_at_ = now;
    if (std::holds_alternative<lease::Hello>(message) && asked_at_) {
        round_trip_ = now - *std::exchange(asked_at_, std::nullopt);
    }
    if (const auto* const memory = std::get_if<lease::Memory>(&message)) {
        remembers_ = memory->voters.newest().has_version();
    }
}

std::optional<bool> WitnessWatch::take_news(TimePoint now) {
    const bool heard = is_heard(now);
    return std::exchange(told_, heard) == heard ? std::nullopt : std::optional(heard);
}

bool WitnessWatch::is_heard(TimePoint now) const {
    return heard_at_ && now < *heard_at_ + kWitnessUnheard;
}

bool WitnessWatch::may_be_added(TimePoint now) const {
    return is_heard(now) && remembers_ && !differing_ && now >= since_ + kWitnessSettle;
}

}  // namespace vpnha::node
