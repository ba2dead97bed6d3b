// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the machine of a holder that is not heard is alive: its kernel answers an ICMP echo
// (RFC 792, RFC 4443 4.1) though its vpnhad sends no rounds. Such a vpnhad is late, or hangs. Pure.
//
// A standby that stands in for a late vpnhad costs users more than a short silence: all sessions
// are resumed ones afterwards. So it waits for a machine that answers, until 0.75 s after the end
// of the promise. A machine without power answers nothing, and nobody waits for it: the questions
// begin a third of a lease before the promise ends, when two rounds are missing. One whose answers
// stop is not waited for any more.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::node {

class HolderPulse {
  public:
    // This node could stand in for `holder` when the promise to it ends; its L is about `lease`.
    void follow(NodeId holder, TimePoint promised_until, Duration lease);
    // It could not, or knows already that the holder serves nobody.
    void forget();
    // Whether the holder's machine is to be asked now. True at most each 50 ms.
    [[nodiscard]] bool asks(TimePoint now);
    void on_echo(NodeId node, TimePoint now);

    // Nobody stands in before that time.
    [[nodiscard]] TimePoint waits_until() const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // For the log: "its machine answers no echo", or how long ago it did.
    [[nodiscard]] std::string words(TimePoint now) const;

  private:
    NodeId holder_;
    std::optional<TimePoint> promised_until_;
    std::optional<TimePoint> first_asked_;  // Since the promise was renewed last.
    TimePoint ask_at_{};
    std::optional<TimePoint> answered_;
};

}  // namespace vpnha::node
