// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/keeper/wake_queue.hpp"

#include "protocols/wireguard/model/limits.hpp"

namespace vpnha::keepers {

std::optional<WakeQueue::Key> WakeQueue::take(TimePoint now) {
    if (waiting_.empty() || open_.size() >= limits::kWireguardHandshakesMax) {
        return std::nullopt;
    }
    const Key key = waiting_.front();
    waiting_.pop_front();
    close(key);
    const TimePoint until = now + limits::kWireguardHandshakeWait;
    open_.emplace(key, until);
    until_.emplace(until, key);
    return key;
}

bool WakeQueue::close(const Key& key) {
    const auto found = open_.find(key);
    if (found == open_.end()) {
        return false;
    }
    until_.erase({found->second, key});
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
}

std::optional<TimePoint> WakeQueue::next_deadline() const {
    return until_.empty() ? std::nullopt : std::optional(until_.begin()->first);
}

}  // namespace vpnha::keepers
