// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the holder serves, as this node's voter sees it, and which standby tells Pacemaker when
// it does not. Pure.
//
// That a vpnhad has died Corosync says at once. That it stands still only its rounds show: it stays
// a member, and Pacemaker's monitor waits for its answer. The same when the lease's answers do not
// reach it: its claims continue, and it serves nobody. A majority has to miss it. Of a pair this
// node asks the witness: that one misses it when it would answer this node's claim.
//
//   this node       | the holder's vpnhad has died | a majority misses its rounds  | it is heard,
//   or
//                   |                              |                               | another serves
//   ----------------+------------------------------+-------------------------------+---------------
//   watches         | reports in its turn          | reports in its turn           | -
//   waits to report | -                            | -                             | watches
//   has reported    | - (1)                        | - (1)                         | watches
//
//   (1) once for each epoch: a second report would have Pacemaker think anew.
#pragma once

#include <optional>

#include "cluster/lease/engine.hpp"
#include "cluster/replica/replica.hpp"

namespace vpnha::node {

class HolderWatch {
  public:
    // The gateway as it is now.
    struct Sight {
        NodeId self;
        const replica::Replica& replica;
        const lease::Engine& lease;
        bool attached = false;
        bool reports = false;   // There is a resource to report of.
        bool stand_in = false;  // A standby that stands in is sooner than any report.
    };
    // Pacemaker is to hear of it now.
    struct Report {
        NodeId holder;
        bool died = false;
        bool claims = false;  // It claims the lease, and receives no answer.
    };

    // That member's vpnhad has died, its node lives.
    void on_process_died(NodeId member, const Sight& sight, TimePoint now);
    // After each message of the lease and of the group.
    void note(const Sight& sight);
    [[nodiscard]] std::optional<Report> look(const Sight& sight, TimePoint now);

    // The witness's word is missing, or old.
    [[nodiscard]] bool asks_witness(const Sight& sight, TimePoint now) const;
    // By a question of that number.
    void on_asked(std::uint64_t number, TimePoint now);
    void on_word_of_witness(const lease::Message& message, TimePoint now);

    // The vpnhad of this epoch's holder died, so the lowest standby has reported it.
    [[nodiscard]] bool died_in(Epoch epoch) const { return died_in_ == epoch; }
    // This node misses the holder's rounds.
    [[nodiscard]] bool unreceived() const { return unreceived_; }
    [[nodiscard]] std::optional<TimePoint> next_deadline(const Sight& sight) const;

  private:
    [[nodiscard]] bool listens(const Sight& sight) const;
    [[nodiscard]] bool is_silent_to_majority(const Sight& sight, TimePoint now) const;
    [[nodiscard]] static TimePoint turn(NodeId holder, const Sight& sight, TimePoint now);

    struct Waiting {
        NodeId holder;
        bool died = false;  // Otherwise it stands still.
        TimePoint at{};
    };
    struct Asked {
        std::uint64_t number = 0;  // Of the newest question.
        TimePoint next_at{};
        TimePoint missed_until{};  // So long its word counts that it misses the holder, too.
    };
    std::optional<Waiting> waiting_;
    Asked witness_;
    Epoch reported_;  // One report for each epoch at most.
    Epoch died_in_;
    bool unreceived_ = false;
    Epoch received_epoch_;        // The newest that this voter promised;
    TimePoint received_until_{};  // until then its rounds show a holder that serves.
};

}  // namespace vpnha::node
