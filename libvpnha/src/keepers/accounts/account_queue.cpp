// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/accounts/account_queue.hpp"

#include <algorithm>

namespace vpnha::keepers {

namespace {

// When one that is hurried was due.
constexpr TimePoint kLongAgo = TimePoint::min();

}  // namespace

void AccountQueue::put(const AccountId& id, Kind kind, TimePoint at) {
    erase(id);
    all_.emplace(id, Due{kind, at});
    of(kind).emplace(at, id);
}

void AccountQueue::hurry(const AccountId& id) {
    if (const auto found = all_.find(id); found != all_.end()) {
        put(id, found->second.kind, kLongAgo);
    }
}

void AccountQueue::erase(const AccountId& id) {
    if (const auto found = all_.find(id); found != all_.end()) {
        of(found->second.kind).erase({found->second.at, id});
        all_.erase(found);
    }
}

void AccountQueue::clear() {
    all_.clear();
    due_ = {};
    sending_.reset();
    quiet_until_.reset();
    pause_ = limits::kAccountAgainFirst;
}

const AccountQueue::Queue* AccountQueue::next(TimePoint now) const {
    const Queue* chosen = nullptr;
    for (std::size_t i = 0; i < kKinds; ++i) {
        const Queue& queue = due_.at((turn_ + i) % kKinds);
        if (queue.empty() || queue.begin()->first > now) {
            continue;
        }
        if (queue.begin()->first == kLongAgo) {
            return &queue;
        }
        chosen = chosen == nullptr ? &queue : chosen;
    }
    return chosen;
}

std::optional<AccountId> AccountQueue::take(TimePoint now) {
    if (sending_ || now < rate_.next() || (quiet_until_ && now < *quiet_until_)) {
        return std::nullopt;
    }
    const Queue* const queue = next(now);
    if (queue == nullptr) {
        return std::nullopt;
    }
    const AccountId id = queue->begin()->second;
    erase(id);
    return id;
}

void AccountQueue::send(const AccountId& id, Kind kind, std::uint64_t ticket, TimePoint now) {
    sending_ = Sending{ticket, id, kind};
    turn_ = (static_cast<std::size_t>(kind) + 1) % kKinds;
    (void)rate_.take(now);
}

std::optional<AccountId> AccountQueue::finish(const node::AccountingAnswered& answer,
                                              TimePoint now) {
    if (!sending_ || sending_->ticket != answer.ticket) {
        return std::nullopt;
    }
    const auto [ticket, id, kind] = *sending_;
    sending_.reset();
    if (answer.result == node::AccountingResult::silent) {
        put(id, kind, now);
        quiet_until_ = now + pause_;
        pause_ = std::min<Duration>(2 * pause_, limits::kAccountAgainMax);
        return id;
    }
    quiet_until_.reset();
    pause_ = limits::kAccountAgainFirst;
    if (answer.result == node::AccountingResult::failed) {
        put(id, kind, now + limits::kAccountAgainMax);
    }
    return id;
}

std::optional<TimePoint> AccountQueue::next_deadline() const {
    if (sending_ || all_.empty()) {
        return std::nullopt;
    }
    TimePoint first = TimePoint::max();
    for (const Queue& queue : due_) {
        first = queue.empty() ? first : std::min(first, queue.begin()->first);
    }
    first = std::max(first, rate_.next());
    return quiet_until_ ? std::max(first, *quiet_until_) : first;
}

}  // namespace vpnha::keepers
