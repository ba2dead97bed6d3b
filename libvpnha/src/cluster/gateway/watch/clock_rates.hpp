// SPDX-License-Identifier: GPL-2.0-or-later
// How fast the clocks of other nodes run, by this node's own. The lease keeps gates apart while the
// rates of two clocks differ by less than ρ (cluster/lease/timing.hpp); a virtual machine's clock
// may not keep to that after a migration. Each round and each second's Hello have the time of their
// sending, so every voter can measure the others. Pure.
//
// Time is cut into spans of kSpan, and of each span only the round with the shortest delay counts:
// stalls of either machine delay most rounds of a span at the worst, and hardly all of them. By as
// much as that delay grows from one span to the next the sender's clock has fallen behind. One step
// proves nothing: a machine may have stood still with its clock. A clock is astray after two steps
// in a row that differ from 1 in the same direction by more than ρ, and right after one that does
// not. A vpnhad that is behind begins anew.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "cluster/lease/messages.hpp"

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
    void note(const lease::Sender& sender, TimePoint sent, TimePoint now, std::int64_t rate_ppm);
    // This node is behind: all spans begin anew with the next round.
    void begin_anew();
    // Forgets all others.
    void keep(const std::vector<NodeId>& nodes);
    // Clocks that have gone astray, or are right again, since the last call.
    [[nodiscard]] std::vector<Clock> take_news();
    // Those that are astray now, ascending.
    [[nodiscard]] std::vector<Clock> astray() const;
    [[nodiscard]] std::vector<NodeId> nodes_astray() const;
    // It is this node's own clock that is astray: as many others as are a majority of `voters` run
    // at another rate, all faster or all slower.
    [[nodiscard]] bool own_is_astray(std::size_t voters) const;

  private:
    struct Measured {
        lease::Instance life{};
        TimePoint sent{};                // The newest, on its own clock.
        TimePoint begun{};               // The span, on this node's.
        Duration shortest{};             // Delay in this span: between two clocks, so of any sign.
        std::optional<Duration> before;  // The same of the span before.
        int direction = 0;               // Of the last step: 1: too fast, -1: too slow, 0: neither.
        Clock clock;
        bool begins = false;  // With the next round.
    };

    void judge(Measured& measured, Duration before, std::int64_t rate_ppm);

    std::map<NodeId, Measured> measured_;
    std::vector<Clock> news_;
};

}  // namespace vpnha::node
