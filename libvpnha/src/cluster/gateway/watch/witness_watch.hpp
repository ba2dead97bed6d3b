// SPDX-License-Identifier: GPL-2.0-or-later
// What this node hears of the cluster's witness (cluster/lease/voters.hpp): for the holder, which
// adds it to the voters, and for the operator. Pure.
//
//   heard \ datagram | of the life that is heard | of another life  | none for 3 s
//   -----------------+---------------------------+------------------+--------------
//   no               | XXX                       | yes, told        | -
//   yes              | -                         | yes, anew (1)    | no, told
//
//   (1) it is a voter that has started: what it remembers has to be asked again.
//
// A copy of it, as a restored snapshot of its machine is, has the same key and the same memory. So
// two may answer, and each gives one node a majority. A life is a random number of each start: two
// that are heard at once are two witnesses.
#pragma once

#include <optional>
#include <vector>

#include "cluster/lease/messages.hpp"

namespace vpnha::node {

class WitnessWatch {
  public:
    // This node says hello, and the answer to that shows how far away the witness is.
    void on_hello_sent(TimePoint now) { asked_at_ = now; }
    void on_message(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    // Each second: whether it is heard, if that has changed since.
    [[nodiscard]] std::optional<bool> take_news(TimePoint now);
    // Each second: the lives that the other nodes hear, 0 for none. Whether there are two
    // witnesses, if that has changed: for 3 s one of them is not the life that this node hears, or
    // in the last 3 s a life was heard again after another one.
    [[nodiscard]] std::optional<bool> compare(
        const std::vector<lease::Instance>& received_by_others, TimePoint now);
    // The nodes' configurations name other witnesses.
    void set_differing(bool differing) { differing_ = differing; }

    [[nodiscard]] bool is_answering(TimePoint now) const;
    // It may be added to the voters: it has been heard for a second, and remembers a list.
    [[nodiscard]] bool may_be_added(TimePoint now) const;
    [[nodiscard]] bool is_differing() const { return differing_; }
    [[nodiscard]] bool are_two() const { return two_; }
    // 0: it was not heard at the last take_news().
    [[nodiscard]] lease::Instance life() const { return notified_ ? life_ : lease::Instance{}; }
    [[nodiscard]] std::optional<TimePoint> received_at() const { return received_at_; }
    // It answers the other node's rounds: it did so less than `within` ago, or has not said since
    // that time whom it answers.
    [[nodiscard]] bool may_answer_other(TimePoint since, Duration within, TimePoint now) const;
    // From this node's newest Hello to its answer.
    [[nodiscard]] std::optional<Duration> round_trip() const { return round_trip_; }

  private:
    lease::Instance life_;
    lease::Instance former_;  // The life before it.
    bool two_ = false;
    std::optional<TimePoint> other_since_;  // Another node hears another life.
    std::optional<TimePoint> returned_at_;  // The former life was heard again.
    bool remembers_ = false;
    bool notified_ = false;  // As heard.
    bool differing_ = false;
    TimePoint since_{};  // It has been heard without a gap.
    std::optional<TimePoint> received_at_;
    std::optional<TimePoint> asked_at_;
    std::optional<TimePoint> opinion_at_;
    std::optional<TimePoint> answered_other_at_;  // By its newest opinion.
    std::optional<Duration> round_trip_;
};

}  // namespace vpnha::node
