// SPDX-License-Identifier: GPL-2.0-or-later
// The order of a promotion and of a demotion: the one header to read about it. Pure: it returns the
// next step; the node executes it and reports back.
//
// Promotion = stop being silent. It has no per-session work: sessions were made hot while the node
// was a standby.
//
//   1 grant              a majority of the voters grants the lease a new epoch
//   2 warm_counters      sequence numbers continue beyond any that a node before may have used; its
//                        predecessor's last messages may still be under way to this node
//   3 claim              sent to the group; refused without quorum
//   4 add_addresses      the VIPs of both sides, the policy rule to the hot sessions' routes
//   5 open_gate          from here on this node serves, for as long as its lease lasts
//   6 announce           gratuitous ARP on both sides; repeated later by the node
//   7 resume_sessions    L2TP control and LCP of the hot sessions answer
//   8 activate_services  daemons that resuming has turned have changed their role, or take too long
//
// Standing in = the same for a silent holder, before Corosync and Pacemaker know of it.
// The lease was granted already. The group may not accept messages yet, or may still deliver the
// old holder's messages: until then this node follows its epoch.
//
//   1 warm_counters, add_addresses, open_gate, announce     data flows
//   2 await_group                                            the old holder's messages have arrived
//   3 claim, resume_sessions, activate_services             as in a promotion
//
// Demotion = draining: the node serves until its lease has ended. A successor's claim ends it at
// once; without one the end of the wait for it does. The end of the lease, and a promotion that
// failed half-way, lead to a release:
//
//   1 shut_gate            no client sees any later step; the lease is released
//   2 mute_sessions        L2TP control and LCP fall silent; not before a successor that waits for
//                          the last counters has got them
//   3 deactivate_services  as activate_services: daemons are passive again, or take too long
//   4 remove_addresses
//   5 reset_services       this node's own stock sessions end, their daemons are idle again
//   6 install_hot          records of the replica that are missing in the kernel
//
//   state \ event | promote        | demote        | lost          | step done | step failed
//   --------------+----------------+---------------+---------------+-----------+------------
//   standby       | taking_over    | standby (4)   | standby       | XXX       | XXX
//                 | or standing_in |               |               |           |
//                 | (5)            |               |               |           |
//   taking_over   | XXX: busy      | releasing (1) | releasing (1) | next, or  | releasing
//                 |                |               |               | promoted  |
//   standing_in   | XXX: busy      | releasing (1) | releasing (1) | next, or  | releasing
//                 |                |               |               | promoted  |
//   promoted      | promoted       | draining      | releasing     | XXX       | XXX
//   draining      | promoted       | draining      | releasing     | XXX       | XXX
//   releasing     | XXX: busy      | releasing (2) | releasing     | next, or  | next (3)
//                 |                |               |               | standby   |
//
//   (1) at the end of the step under way. (2) joins the release under way. (3) a release always
//   runs to its end. It fails as a whole only when the gate could not be shut, because only then
//   may a client still receive from this node. Whether the promotion that it undoes has failed is
//   another matter: state() shows it. (4) releasing once more while the gate could not be shut. (5)
//   on stand_in().
#pragma once

#include <optional>
#include <string_view>

namespace vpnha::takeover {

enum class State { standby, taking_over, standing_in, promoted, draining, releasing };

enum class Step {
    grant,
    warm_counters,
    claim,
    add_addresses,
    open_gate,
    announce,
    resume_sessions,
    activate_services,
    await_group,
    shut_gate,
    mute_sessions,
    deactivate_services,
    remove_addresses,
    reset_services,
    install_hot,
};

[[nodiscard]] std::string_view to_string(State state);
[[nodiscard]] std::string_view to_string(Step step);

// The result of an event: a step to run, or the end of a transition, or nothing.
struct Next {
    std::optional<Step> step;
    bool finished = false;   // The transition is over; state() is the new state.
    bool succeeded = false;  // False: a release that could not shut the gate.
};

class Takeover {
  public:
    // Finished at once when promoted or draining already. Not to be called while busy().
    [[nodiscard]] Next promote();
    // The lease was granted without a promotion. Only when standby.
    [[nodiscard]] Next stand_in();
    // Finished at once when promoted, or standby already and silent.
    [[nodiscard]] Next demote();
    // The lease has ended for good, or a newer epoch is known.
    [[nodiscard]] Next lost();
    // The last step was run.
    [[nodiscard]] Next on_step(bool succeeded);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool serves() const {
        return state_ == State::promoted || state_ == State::draining;
    }
    [[nodiscard]] bool busy() const {
        return state_ == State::taking_over || state_ == State::standing_in ||
               state_ == State::releasing;
    }
    // Returned to be run, and not yet run.
    [[nodiscard]] std::optional<Step> running() const { return running_; }
    // Standing in, with nothing else to do before the group's messages have arrived.
    [[nodiscard]] bool waits_for_group() const { return running_ == Step::await_group; }

  private:
    Next run(Step step);
    Next begin_release();

    State state_ = State::standby;
    std::optional<Step> running_;
    bool release_wanted_ = false;  // Demoted while taking over.
    bool gate_open_ = false;       // shut_gate failed last.
};

}  // namespace vpnha::takeover
