// SPDX-License-Identifier: GPL-2.0-or-later
// What the lease has granted to this node, and for how long a promotion waits for it.
// Pure; whether it is granted is the lease's (cluster/lease/engine.hpp).
//
//   a promotion \ event | granted   | time is over, and a majority could | could not grant
//   --------------------+-----------+------------------------------------+----------------
//   awaits the grant    | continues   | fails                              | waits, silent
//   waits, silent       | continues   | fails                              | waits on
//
// One that waits silently has been answered as promoted: see GatewayLease::await_voters().
#pragma once

#include <optional>
#include <utility>

#include "cluster/lease/effects.hpp"

namespace vpnha::node {

class Grants {
  public:
    // A promotion waits for the grant until then; once more: for longer.
    void await(TimePoint until) { awaited_until_ = until; }
    // It has been answered. False: it was before.
    bool wait_in_silence() { return !std::exchange(silent_, true); }
    // Granted, or refused, or not asked for.
    void end() {
        replica_until_.reset();
        awaited_until_.reset();
        silent_ = false;
    }
    // Before it asks for the grant, a promotion waits until then for the replica.
    void await_replica(TimePoint until) { replica_until_ = until; }
    void end_replica_wait() { replica_until_.reset(); }
    [[nodiscard]] std::optional<TimePoint> replica_awaited_until() const { return replica_until_; }

    [[nodiscard]] bool awaited() const { return awaited_until_.has_value(); }
    [[nodiscard]] std::optional<TimePoint> awaited_until() const { return awaited_until_; }
    [[nodiscard]] bool waits_in_silence() const { return silent_; }

    // A majority has granted it. Returns the epoch before.
    Epoch add(const lease::Granted& granted, TimePoint now);
    // Of the last one; {}: there was none.
    [[nodiscard]] const Epoch& epoch() const { return epoch_; }
    [[nodiscard]] TimePoint at() const { return at_; }
    [[nodiscard]] const lease::Margin& margin() const { return margin_; }

    // Of another node's epoch with the number of this one, which served perhaps: how far counters
    // go is reckoned by numbers (protocols/margin.hpp), so of two nodes one takes the next.
    [[nodiscard]] static bool shares_number(const lease::Granted& granted);

    // The lease, which would have held until then, was given back for a higher epoch.
    void give_back(TimePoint until) { given_back_until_ = until; }
    // Another node may have been granted the lease after `own`, this one's epoch, as a voter
    // remembers or cannot deny: what this one has of the sessions may be old, though nobody has
    // told it so yet.
    [[nodiscard]] bool served_since(const lease::Granted& granted, const Epoch& own,
                                    TimePoint now) const;

  private:
    std::optional<TimePoint> replica_until_;
    std::optional<TimePoint> awaited_until_;
    bool silent_ = false;
    Epoch epoch_;
    TimePoint at_{};
    lease::Margin margin_;
    TimePoint given_back_until_{};
};

}  // namespace vpnha::node
