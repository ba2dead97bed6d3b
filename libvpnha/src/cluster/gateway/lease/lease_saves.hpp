// SPDX-License-Identifier: GPL-2.0-or-later
// What the lease wants done, and the disk that it rests on. Pure. A save takes milliseconds on a
// good disk and seconds on a bad one, so vpnhad's loop does not wait for it: what is said and
// opened only when the save is through waits here.
//
//   effect \ there is   | no save under way | one that a renewal rests on | one of marks only
//   --------------------+-------------------+-----------------------------+------------------
//   shuts a gate, ends  | at once           | at once (1)                 | at once (1)
//   renews (2)          | at once           | waits                       | at once
//   is granted, answers | at once           | waits                       | waits
//
//   (1) and what would open the gate, or was granted, is not done any more. (2) a round, without
//   marks that are not on the disk yet, and a later deadline; until the first save is through these
//   wait, too. A deadline also waits behind a grant that waits: the gateway decides then whether
//   its gate may open.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "cluster/lease/effects.hpp"

namespace vpnha::node {

class LeaseSaves {
  public:
    struct Save {
        lease::Durable durable;
        std::uint64_t ticket = 0;
    };
    // What is to be saved, and what can be carried out now.
    struct Orders {
        std::vector<Save> saves;
        lease::Effects ready;
    };
    struct Outcome {
        lease::Effects ready;
        bool lost_grant = false;  // The lease has not been told of a grant that was waiting.
        bool changed = false;     // The disk takes saves again, or no more.
    };

    LeaseSaves(std::optional<lease::Durable> on_disk, TimePoint now);

    [[nodiscard]] Orders take(lease::Effects&& from);
    // What is on the disk is saved once more, now and then, and sooner where that has failed: a
    // disk that refuses is to be noticed before it is needed. Nothing waits for it.
    [[nodiscard]] std::optional<Save> probe(TimePoint now);
    [[nodiscard]] TimePoint next_probe() const;
    // What became of the save of that ticket, and of those before it.
    [[nodiscard]] Outcome on_saved(std::uint64_t ticket, bool succeeded);

    // nullopt: nothing ever was.
    [[nodiscard]] const std::optional<lease::Durable>& on_disk() const { return on_disk_; }
    // The disk has taken the last one.
    [[nodiscard]] bool work() const { return work_; }
    [[nodiscard]] std::uint64_t failed() const { return failed_; }

  private:
    // What waits for a save, and for those before it.
    struct Unsaved {
        Save save;
        lease::Effects effects;
    };
    [[nodiscard]] bool must_wait(const lease::Effect& effect) const;
    // A round waits for its list of voters. So the marks that go with the list are on the disk.
    void leave_out_unsaved_marks(lease::Effect& effect) const;

    std::deque<Unsaved> unsaved_;  // The oldest first.
    std::uint64_t tickets_ = 0;
    std::optional<lease::Durable> on_disk_;
    bool work_ = true;
    TimePoint probed_at_;
    std::uint64_t failed_ = 0;
};

}  // namespace vpnha::node
