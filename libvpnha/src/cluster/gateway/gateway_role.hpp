// SPDX-License-Identifier: GPL-2.0-or-later
// The transition under way: its steps, in the order of takeover.hpp, what they wait for, and the
// agents that wait for its end; and what a grant and the end of a lease lead to. Pure. A step that
// ports run comes back by on_step_done(), every other one by the event StepEnded.
#pragma once

#include <optional>
#include <string>

#include "cluster/gateway/gate.hpp"
#include "cluster/gateway/gateway_cores.hpp"
#include "cluster/gateway/gateway_links.hpp"
#include "cluster/gateway/gateway_move.hpp"
#include "cluster/gateway/gateway_stand_in.hpp"
#include "cluster/gateway/keeper_steps.hpp"
#include "cluster/gateway/lease/gateway_lease.hpp"
#include "cluster/gateway/transition.hpp"

namespace vpnha::node {

class GatewayRole {
  public:
    // The parts of the gateway that steps are about. They outlive it.
    struct Parts {
        GatewayCores& cores;
        const GatewayView& view;
        GatewayLease& lease;
        GatewayStandIn& stand_in;
        GatewayLinks& links;
        GatewayMoves& moves;
    };
    explicit GatewayRole(const Parts& parts);

    // takeover::Next: begins that step, or ends the transition.
    void follow(const takeover::Next& next, TimePoint now, Effects& effects);
    // What follows depends on the role and on the stand-in alike.
    void on_granted(const lease::Granted& granted, TimePoint now, Effects& effects);
    void on_lease_ended(const lease::Ended& ended, TimePoint now, Effects& effects);
    // GateShuts.
    void shut_gate(Effects& effects);
    // CountersSent: the sessions may fall silent.
    void on_counters_sent(TimePoint now, Effects& effects);
    void on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                      Effects& effects);

    // What a step waits for may have come; each of them after every event.
    void continue_leaving(TimePoint now);
    void continue_giving_back(TimePoint now, Effects& effects);
    void continue_handing_over(TimePoint now, Effects& effects);
    void continue_warming(TimePoint now, Effects& effects);
    void continue_turning(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // The gate shuts for that node's claim; what comes is sent on to it, if it can hold that.
    void leave_gate(const lease::Leave& leave, TimePoint now, Effects& effects);
    // What comes waits for this node's gate from now on.
    void hold_gate(TimePoint now, Effects& effects);
    // A successor waits for the last counters.
    void begin_handing_over(TimePoint now, Effects& effects);
    // It leaves, and sends nothing except the last counters.
    [[nodiscard]] bool hands_over() const { return keeper_steps_.hands_over(); }
    // The replica has sent what was due.
    void note_counters() { keeper_steps_.note_counters(); }

    [[nodiscard]] Gate& gate() { return gate_; }

  private:
    [[nodiscard]] std::string tag() const { return parts_.cores.keepers.tag(); }
    // The one that the step under way is about.
    [[nodiscard]] Epoch epoch_of_step() const;
    void run_inner_step(takeover::Step step, TimePoint now, Effects& effects);
    void finish(bool succeeded, TimePoint now, Effects& effects);

    Parts parts_;
    Gate gate_;
    KeeperSteps keeper_steps_;
};

}  // namespace vpnha::node
