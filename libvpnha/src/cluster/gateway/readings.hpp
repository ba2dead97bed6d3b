// SPDX-License-Identifier: GPL-2.0-or-later
// Which readings of a gateway's counters its standbys hold: what the holder tells the lease. Pure.
#pragma once

#include <deque>
#include <optional>

#include "cluster/lease/messages.hpp"

namespace vpnha::node {

class Readings {
  public:
    // All counters as they stood at `at`, or later, were said in `epoch` up to `sequence`.
    void add(const Epoch& epoch, std::uint64_t sequence, TimePoint at);
    // Every standby in sync has all that was said in `epoch` up to `sequence`. The newest reading
    // that is new by that.
    [[nodiscard]] std::optional<lease::Checkpoint> confirm(const Epoch& epoch,
                                                           std::uint64_t sequence);

  private:
    std::deque<lease::Checkpoint> waiting_;  // Of one epoch, the oldest first.
    TimePoint newest_{};
};

}  // namespace vpnha::node
