// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/accounts/account_queue.hpp"

#include <algorithm>

namespace vpnha::keepers {

void AccountQueue::put(const AccountId& id, TimePoint at) {
    erase(id);
    at_.emplace(id, at);
    due_.emplace(at, id);
}

void AccountQueue::erase(const AccountId& id) {
    if (const auto found = at_.find(id); found != at_.end()) {
        due_.erase({found->second, id});
        at_.erase(found);
    }
}

void AccountQueue::clear() {
    at_.clear();
    due_.clear();
    sending_.reset();
    quiet_until_.reset();
    pause_ = limits::kAccountAgainFirst;
}

std::optional<AccountId> AccountQueue::take(TimePoint now) {
    if (sending_ || due_.empty() || due_.begin()->first > now ||
        (quiet_until_ && now < *quiet_until_)) {
        return std::nullopt;
    }
    const AccountId id = due_.begin()->second;
    erase(id);
    return id;
}

void AccountQueue::send(const AccountId& id, std::uint64_t ticket) {
    sending_ = Sending{ticket, id};
}

std::optional<AccountId> AccountQueue::finish(const node::AccountingAnswered& answer,
                                              TimePoint now) {
    if (!sending_ || sending_->ticket != answer.ticket) {
        return std::nullopt;
    }
    const AccountId id = sending_->id;
    sending_.reset();
    if (answer.result == node::AccountingResult::silent) {
        put(id, now);
        quiet_until_ = now + pause_;
        pause_ = std::min<Duration>(2 * pause_, limits::kAccountAgainMax);
        return id;
    }
    quiet_until_.reset();
    pause_ = limits::kAccountAgainFirst;
    if (answer.result == node::AccountingResult::failed) {
        put(id, now + limits::kAccountAgainMax);
    }
    return id;
}

std::optional<TimePoint> AccountQueue::next_deadline() const {
    if (sending_ || due_.empty()) {
        return std::nullopt;
    }
    const TimePoint first = due_.begin()->first;
    return quiet_until_ ? std::max(first, *quiet_until_) : first;
}

}  // namespace vpnha::keepers
