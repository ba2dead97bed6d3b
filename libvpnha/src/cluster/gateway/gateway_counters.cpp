// SPDX-License-Identifier: GPL-2.0-or-later
// Steps that wait for the keepers (keeper_steps.hpp), and what follows from them.
#include <fmt/format.h>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

void GatewayNode::go_on(TimePoint now, Effects& effects) {
    stand_in_.note_turn(turn_to_stand_in(), now);
    go_on_promoting(now);
    drain(now, effects);
    go_on_leaving(now);
    drain(now, effects);
    go_on_giving_back(now, effects);
    go_on_handing_over(now, effects);
    go_on_warming(now, effects);
    drain(now, effects);
    go_on_turning(now, effects);
    drain(now, effects);
    watch_stopped(now, effects);
    history_.note_role(role(), now);
    history_.note_records(replica_.store().size_of(wire::Service::session));
}

void GatewayNode::go_on_warming(TimePoint now, Effects& effects) {
    const std::optional<bool> warm = keeper_steps_.warm(now, effects);
    if (!warm) {
        return;
    }
    if (!*warm) {
        transition_.fail("warm_counters: the kernel has not taken the counters in time");
    }
    events_.post(StepEnded{*warm});
}

void GatewayNode::begin_handing_over(TimePoint now, Effects& effects) {
    if (!keeper_steps_.begin_handing_over(gate_.lets_out_until(), now, effects)) {
        saved_.take(saved_.engine().on_counters(saved_.engine().state().checkpoint, now), effects);
    }
}

void GatewayNode::go_on_handing_over(TimePoint now, Effects& effects) {
    const std::optional<lease::Checkpoint> checkpoint = keeper_steps_.hand_over(now, effects);
    if (!checkpoint) {
        return;
    }
    saved_.take(saved_.engine().on_counters(*checkpoint, now), effects);
    drain(now, effects);
    if (takeover_.running() == takeover::Step::mute_sessions) {
        run_inner_step(takeover::Step::mute_sessions, now, effects);
        drain(now, effects);
    }
}

void GatewayNode::go_on_turning(TimePoint now, Effects& effects) {
    const std::optional<bool> turned = keeper_steps_.turn(now);
    if (!turned) {
        return;
    }
    if (!*turned) {
        effects.emplace_back(Log{
            LogLevel::warning, fmt::format("a service has not changed its role in time: this node "
                                           "does not wait for it {}",
                                           tag())});
    }
    events_.post(StepEnded{true});
}

}  // namespace vpnha::node
