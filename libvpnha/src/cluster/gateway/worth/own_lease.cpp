// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/worth/own_lease.hpp"

namespace vpnha::node {

namespace {

// Longer than a draining node keeps the lease (2 s), and longer than a node abstains after its
// start.
constexpr Duration kUnleasedPatience = std::chrono::seconds(4);

}  // namespace

bool OwnLease::look(bool misses, bool standby, TimePoint now) {
    if (!misses) {
        since_.reset();
        gives_role_away_ = false;
        return false;
    }
    if (!since_) {
        since_ = now;
    }
    if (gives_role_away_ || !standby || now < *since_ + kUnleasedPatience) {
        return false;
    }
    gives_role_away_ = true;
    ++unanswered_;
    return true;
}

std::optional<TimePoint> OwnLease::next_deadline(bool standby) const {
    return since_ && !gives_role_away_ && standby ? std::optional(*since_ + kUnleasedPatience)
                                                  : std::nullopt;
}

Duration OwnLease::missing(TimePoint now) const {
    return since_ ? now - *since_ : Duration{};
}

}  // namespace vpnha::node
