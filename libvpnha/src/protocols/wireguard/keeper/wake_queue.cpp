// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/keeper/wake_queue.hpp"

#include <algorithm>

#include "protocols/wireguard/model/limits.hpp"

namespace vpnha::keepers {

std::optional<WakeQueue::Key> WakeQueue::take(TimePoint now) {
    if (waiting_.empty() || open_.size() >= limits::kWireguardHandshakesMax) {
        return std::nullopt;
    }
    const Key key = waiting_.front();
    waiting_.pop_front();
    close(key);
    const Open open{now + limits::kWireguardHandshakeWait, now + limits::kWireguardTryAgain};
    open_.emplace(key, open);
    until_.emplace(open.until, key);
    again_.emplace(open.again, key);
    return key;
}

void WakeQueue::on_sent(const Key& key) {
    const auto found = open_.find(key);
    if (found == open_.end() || again_.erase({found->second.again, key}) == 0) {
        return;
    }
    Open& open = found->second;
    open.again = open.until - limits::kWireguardHandshakeWait + limits::kWireguardAnswerWait;
    again_.emplace(open.again, key);
}

std::optional<WakeQueue::Key> WakeQueue::take_again(TimePoint now) {
    if (again_.empty() || again_.begin()->first > now) {
        return std::nullopt;
    }
    const Key key = again_.begin()->second;
    again_.erase(again_.begin());
    return key;
}

bool WakeQueue::close(const Key& key) {
    const auto found = open_.find(key);
    if (found == open_.end()) {
        return false;
    }
    until_.erase({found->second.until, key});
    again_.erase({found->second.again, key});
    open_.erase(found);
    return true;
}

std::optional<WakeQueue::Key> WakeQueue::take_overdue(TimePoint now) {
    if (until_.empty() || until_.begin()->first > now) {
        return std::nullopt;
    }
    const Key key = until_.begin()->second;
    close(key);
    return key;
}

void WakeQueue::clear() {
    waiting_.clear();
    open_.clear();
    until_.clear();
    again_.clear();
}

std::optional<TimePoint> WakeQueue::next_deadline() const {
    if (until_.empty()) {
        return std::nullopt;
    }
    const TimePoint overdue = until_.begin()->first;
    return again_.empty() ? overdue : std::min(overdue, again_.begin()->first);
}

}  // namespace vpnha::keepers
