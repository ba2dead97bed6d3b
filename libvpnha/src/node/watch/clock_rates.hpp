// SPDX-License-Identifier: GPL-2.0-or-later
// How fast the clocks of other nodes run, by this node's own. The lease keeps gates apart while the
// rates of two clocks differ by less than ρ (lease/timing.hpp); a virtual machine's clock may not
// keep to that after a migration. Each round of a holder has the time of its sending, so every
// other voter can measure the holder. Pure.
//
// A rate is measured over kSpan. One span proves nothing: its first or last round may have been
// delayed, or one of the machines stood still with its clock. A clock is astray after two spans in
// a row that differ from 1 in the same direction by more than half of ρ, and right after one that
// does not. A vpnhad that is behind comes to each round later than to the one before, so a span
// holds none of that time.
#pragma once

#include <map>
#include <vector>

#include "lease/messages.hpp"

namespace vpnha::node {

class ClockRates {
  public:
    static constexpr Duration kSpan = std::chrono::seconds(10);

    struct Clock {
        NodeId node;
        double rate = 1;  // Its seconds in one of this node's.
        bool astray = false;
    };

    // That life of a node sent a round at `sent` on its own clock, and it is `now` on this one's.
    void note(const lease::Sender& sender, TimePoint sent, TimePoint now,
              std::int64_t rate_permille);
    // This node is behind: all spans begin anew with the next round.
    void begin_anew();
    // Forgets all others.
    void keep(const std::vector<NodeId>& nodes);
    // Clocks that have gone astray, or are right again, since the last call.
    [[nodiscard]] std::vector<Clock> take_news();
    // Those that are astray now, ascending.
    [[nodiscard]] std::vector<Clock> astray() const;

  private:
    struct Measured {
        lease::Instance life{};
        TimePoint sent{};
        TimePoint received{};
        int direction = 0;  // Of the last span: 1: too fast, -1: too slow, 0: neither.
        Clock clock;
        bool begins = false;  // With the next round.
    };

    std::map<NodeId, Measured> measured_;
    std::vector<Clock> news_;
};

}  // namespace vpnha::node
