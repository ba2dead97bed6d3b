// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/keeper/account_queue.hpp"

#include <algorithm>

namespace vpnha::keepers {

namespace {

// The due time of a hurried request.
constexpr TimePoint kLongAgo = TimePoint::min();

}  // namespace

void AccountQueue::put(const AccountId& id, Kind kind, TimePoint at) {
    erase(id);
    if (const auto found = behind_.find(id); found != behind_.end()) {
        found->second = Due{kind, at};
        return;
    }
    all_.emplace(id, Due{kind, at});
    of(kind).emplace(at, id);
}

void AccountQueue::hurry(const AccountId& id) {
    const auto found = all_.find(id);
    const auto behind = behind_.find(id);
    if (found != all_.end()) {
        put(id, found->second.kind, kLongAgo);
    } else if (behind != behind_.end() && behind->second) {
        behind->second->at = kLongAgo;
    }
}

void AccountQueue::erase(const AccountId& id) {
    if (const auto found = all_.find(id); found != all_.end()) {
        of(found->second.kind).erase({found->second.at, id});
        all_.erase(found);
    }
    if (const auto found = behind_.find(id); found != behind_.end()) {
        found->second.reset();
    }
}

void AccountQueue::clear() {
    all_.clear();
    due_ = {};
    sending_.clear();
    behind_.clear();
    quiet_until_.reset();
    pause_ = limits::kAccountAgainFirst;
}

bool AccountQueue::is_full() const {
    return sending_.size() >= (quiet_until_ ? 1 : limits::kAccountsUnderWay);
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
    if (is_full() || now < rate_.next() || (quiet_until_ && now < *quiet_until_)) {
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
    sending_.emplace(ticket, Sending{id, kind, now});
    behind_.emplace(id, std::nullopt);
    turn_ = (static_cast<std::size_t>(kind) + 1) % kKinds;
    (void)rate_.take(now);
}

void AccountQueue::pause(const Sending& unanswered, TimePoint now) {
    if (unanswered.at <= quiet_since_) {
        return;  // It was under way already when another one was not answered.
    }
    quiet_since_ = now;
    quiet_until_ = now + pause_;
    pause_ = std::min<Duration>(2 * pause_, limits::kAccountAgainMax);
}

std::optional<AccountId> AccountQueue::finish(const node::AccountingAnswered& answer,
                                              TimePoint now) {
    const auto found = sending_.find(answer.ticket);
    if (found == sending_.end()) {
        return std::nullopt;
    }
    const Sending sent = found->second;
    sending_.erase(found);
    const std::optional<Due> behind = behind_.extract(sent.id).mapped();
    if (answer.result == node::AccountingResult::answered) {
        if (behind) {
            put(sent.id, behind->kind, behind->at);
        }
    } else {
        // Replaced by what was to follow: the session has ended meanwhile.
        const bool is_silent = answer.result == node::AccountingResult::silent;
        put(sent.id, behind ? behind->kind : sent.kind,
            is_silent ? now : now + limits::kAccountAgainMax);
    }
    if (answer.result == node::AccountingResult::silent) {
        pause(sent, now);
    } else {
        quiet_until_.reset();
        pause_ = limits::kAccountAgainFirst;
    }
    return sent.id;
}

std::optional<TimePoint> AccountQueue::next_deadline() const {
    if (is_full() || all_.empty()) {
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
