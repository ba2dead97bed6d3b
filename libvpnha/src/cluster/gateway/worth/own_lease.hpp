// SPDX-License-Identifier: GPL-2.0-or-later
// A promoted node that is granted no lease, where another node could be, gives the role away. Pure.
//
//   this node \ it now | has no lease, and another could | for kUnleasedPatience | otherwise
//                      |                                 | with a standby        |
//   -------------------+---------------------------------+-----------------------+----------
//   serves, or waits   | counts the time                 | gives the role away   | -
//   gives it away      | -                               | -                     | serves
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace vpnha::node {

class OwnLease {
  public:
    // `misses`: promoted without a lease that another node could be granted without this one's
    // vote. `standby`: one is in sync. True: from now on this node gives the role away.
    bool look(bool misses, bool standby, TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline(bool standby) const;

    [[nodiscard]] bool gives_role_away() const { return gives_role_away_; }
    // For how long it has had none.
    [[nodiscard]] Duration missing(TimePoint now) const;
    // How often it has given the role away.
    [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }

  private:
    std::optional<TimePoint> since_;
    bool gives_role_away_ = false;
    std::uint64_t unanswered_ = 0;
};

}  // namespace vpnha::node
