// SPDX-License-Identifier: GPL-2.0-or-later
// What this node hears of the cluster's witness (lease/voters.hpp): for the holder, which adds it
// to the voters, and for the operator. Pure.
//
//   heard \ datagram | of the life that is heard | of another life  | none for 3 s
//   -----------------+---------------------------+------------------+--------------
//   no               | XXX                       | yes, told        | -
//   yes              | -                         | yes, anew (1)    | no, told
//
//   (1) it is a voter that has started: what it remembers has to be asked again.
#pragma once

#include <optional>

#include "lease/messages.hpp"

namespace vpnha::node {

class WitnessWatch {
  public:
    // This node says hello, and the answer to that shows how far away the witness is.
    void on_hello_sent(TimePoint now) { asked_at_ = now; }
    void on_message(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    // Each second: whether it is heard, if that has changed since.
    [[nodiscard]] std::optional<bool> take_news(TimePoint now);
    // The nodes' configurations name other witnesses.
    void set_differing(bool differing) { differing_ = differing; }

    [[nodiscard]] bool is_heard(TimePoint now) const;
    // It may be added to the voters: it has been heard for a second, and remembers a list.
    [[nodiscard]] bool may_be_added(TimePoint now) const;
    [[nodiscard]] bool is_differing() const { return differing_; }
    [[nodiscard]] std::optional<TimePoint> heard_at() const { return heard_at_; }
    // From this node's newest Hello to its answer.
    [[nodiscard]] std::optional<Duration> round_trip() const { return round_trip_; }

  private:
    lease::Instance life_;
    bool remembers_ = false;
    bool told_ = false;  // As heard.
    bool differing_ = false;
    TimePoint since_{};  // It has been heard without a gap.
    std::optional<TimePoint> heard_at_;
    std::optional<TimePoint> asked_at_;
    std::optional<Duration> round_trip_;
};

}  // namespace vpnha::node
