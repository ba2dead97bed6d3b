// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/holder_pulse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::node {

namespace {

using std::chrono::milliseconds;

// A longer lease gets no more: this is time for two questions.
constexpr Duration kLeadMax = milliseconds(100);
constexpr Duration kEvery = milliseconds(50);
// A kernel answers at once. Where the way is longer, a holder is not waited for.
constexpr Duration kAnswer = milliseconds(25);
// Answers may be lost, or late. This costs a takeover time only where a machine dies while its
// vpnhad is late: no machine that was dead when the first question came has answered.
constexpr Duration kBeat = 4 * kEvery;
// By then a vpnhad that stood still for 0.9 s has resumed, and its first round has arrived.
constexpr Duration kAfterPromise = milliseconds(750);

}  // namespace

void HolderPulse::follow(NodeId holder, TimePoint promised_until, Duration lease) {
    if (holder != holder_) {
        forget();
        holder_ = holder;
    }
    if (promised_until_ != promised_until) {
        first_asked_.reset();
        ask_at_ = std::max(ask_at_, promised_until - std::min(kLeadMax, lease / 3));
    }
    promised_until_ = promised_until;
}

void HolderPulse::forget() {
    *this = {};
}

bool HolderPulse::asks(TimePoint now) {
    const std::optional<TimePoint> at = next_deadline();
    if (!at || now < *at) {
        return false;
    }
    first_asked_ = first_asked_.value_or(now);
    ask_at_ = now + kEvery;
    return true;
}

void HolderPulse::on_echo(NodeId node, TimePoint now) {
    if (node == holder_ && promised_until_) {
        answered_ = now;
    }
}

TimePoint HolderPulse::waits_until() const {
    // A node that itself stood still asked no other node while the promise ended.
    const TimePoint asked = first_asked_ ? *first_asked_ + kAnswer : TimePoint{};
    const TimePoint alive = answered_ && promised_until_
                                ? std::min(*answered_ + kBeat, *promised_until_ + kAfterPromise)
                                : TimePoint{};
    return std::max(asked, alive);
}

std::string HolderPulse::words(TimePoint now) const {
    if (!first_asked_) {
        return "its machine was not asked for an echo";
    }
    return answered_
               ? fmt::format("its machine answered an echo {} ms ago",
                             std::chrono::duration_cast<milliseconds>(now - *answered_).count())
               : "its machine answers no echo";
}

std::optional<TimePoint> HolderPulse::next_deadline() const {
    return promised_until_ && ask_at_ < *promised_until_ + kAfterPromise ? std::optional(ask_at_)
                                                                         : std::nullopt;
}

}  // namespace vpnha::node
