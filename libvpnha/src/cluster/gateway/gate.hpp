// SPDX-License-Identifier: GPL-2.0-or-later
// The only door of one gateway to the kernel's gate: no other object makes the effects SetGate,
// LeaveGate, HoldGate and GiveBack, and the steps open_gate and shut_gate. Pure. The kernel keeps
// the deadline, so it shuts the gate by itself.
//
//   gate \ event        | open()  | keep_shut() | deadline | no deadline | let_out()   | hold()
//   --------------------+---------+-------------+----------+-------------+-------------+---------
//   keeps shut          | follows | -           | -        | shut        | lets out    | HoldGate
//   follows the lease   | follows | keeps shut  | SetGate  | shut        | lets out    | -
//
//   Lets out: until has_left() what is within this node leaves it, for a successor. The step
//   shut_gate waits for that.
#pragma once

#include <optional>

#include "cluster/effects/effects.hpp"

namespace vpnha::node {

class Gate {
  public:
    explicit Gate(GatewayId gateway) : gateway_(gateway) {}

    // Step open_gate: from now on the lease's deadlines go to the gate. `granted`: to this node,
    // and at least the epoch of the call before.
    void open(const Epoch& granted, const Epoch& of_step, TimePoint deadline, Effects& effects);
    // No deadline opens it any more.
    void keep_shut() { follows_ = false; }
    // Step shut_gate; keep_shut() came first.
    void shut(const Epoch& of_step, TimePoint deadline, Effects& effects);
    [[nodiscard]] bool follows() const { return follows_; }

    // The lease has a new deadline; {}: it has none.
    void on_deadline(TimePoint deadline, Effects& effects);
    // The lease has ended: what a gate that keeps shut holds is dropped.
    void on_lease_ended(Effects& effects);

    // The lease, which would have lasted until `beyond`, goes to a node with these devices. What is
    // within this node may leave it for `lets_out`; what comes is sent on. Without addresses of
    // the devices it shuts at once.
    void let_out(const SideMacs& to, Duration lets_out, TimePoint beyond, TimePoint now,
                 Effects& effects);
    // When it shuts by itself; nullopt: nothing leaves.
    [[nodiscard]] std::optional<TimePoint> lets_out_until() const { return lets_out_until_; }
    // True once, when it has shut.
    [[nodiscard]] bool has_left(TimePoint now);

    // This node claims: what comes waits for its gate to open. `before` sends it on.
    void hold(const SideMacs& own, const SideMacs& before, TimePoint now, Effects& effects);
    // It has opened; what was held continues when the sessions take packets.
    void begin_giving_back(TimePoint now);
    [[nodiscard]] bool gives_back() const { return gives_back_until_.has_value(); }
    void give_back(bool sessions_take_packets, TimePoint now, Effects& effects);

    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    GatewayId gateway_;
    bool follows_ = false;
    Epoch opened_;  // Granted, of the newest open().
    std::optional<TimePoint> lets_out_until_;
    std::optional<TimePoint> gives_back_until_;
};

}  // namespace vpnha::node
