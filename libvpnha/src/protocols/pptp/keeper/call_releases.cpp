// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/keeper/call_releases.hpp"

#include <iterator>

namespace vpnha::keepers {

void CallReleases::begin(bool exact) {
    exact_ = exact;
    resumed_.insert(emitted_.begin(), emitted_.end());
    for (const auto& [change, keys] : sent_) {
        resumed_.insert(keys.begin(), keys.end());
    }
    emitted_.clear();
    sent_.clear();
}

void CallReleases::end() {
    *this = {};
}

void CallReleases::resumed(const pptp::CallKey& key) {
    asked_.erase(key);
    resumed_.insert(key);
}

void CallReleases::emitted(const pptp::CallKey& key) {
    if (resumed_.erase(key) != 0) {
        emitted_.push_back(key);
    }
}

std::vector<pptp::CallKey> CallReleases::take(const replica::Replica& replica) {
    if (!emitted_.empty() && replica.has_emitted_counters()) {
        sent_.emplace_back(replica.sequence(), std::exchange(emitted_, {}));
    }
    std::vector<pptp::CallKey> taken;
    while (!sent_.empty() && sent_.front().first <= replica.delivered()) {
        taken.insert(taken.end(), sent_.front().second.begin(), sent_.front().second.end());
        sent_.pop_front();
    }
    return taken;
}

}  // namespace vpnha::keepers
