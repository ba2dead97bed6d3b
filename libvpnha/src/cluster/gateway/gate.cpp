// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gate.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::node {

void Gate::open(const Epoch& granted, const Epoch& of_step, TimePoint deadline, Effects& effects) {
    VPNHA_ASSERT(granted != Epoch{} && granted >= opened_);
    opened_ = granted;
    follows_ = true;
    effects.emplace_back(RunStep{gateway_, takeover::Step::open_gate, of_step, deadline});
}

void Gate::shut(const Epoch& of_step, TimePoint deadline, Effects& effects) {
    VPNHA_ASSERT(!follows_ && !lets_out_until_);
    effects.emplace_back(RunStep{gateway_, takeover::Step::shut_gate, of_step, deadline});
}

void Gate::on_deadline(TimePoint deadline, Effects& effects) {
    if (follows_ || deadline == TimePoint{}) {
        effects.emplace_back(SetGate{gateway_, deadline});
    }
}

void Gate::on_lease_ended(Effects& effects) {
    if (!follows_) {
        effects.emplace_back(SetGate{gateway_, {}});
    }
}

void Gate::let_out(const SideMacs& to, Duration lets_out, TimePoint beyond, TimePoint now,
                   Effects& effects) {
    if (!to.are_known()) {
        effects.emplace_back(SetGate{gateway_, {}});
        return;
    }
    const TimePoint shut_at = std::min(now + lets_out, beyond);
    lets_out_until_ = shut_at;
    effects.emplace_back(LeaveGate{gateway_, now + limits::kSendsOn, beyond, shut_at, to});
}

bool Gate::has_left(TimePoint now) {
    if (!lets_out_until_ || now < *lets_out_until_) {
        return false;
    }
    lets_out_until_.reset();
    return true;
}

void Gate::hold(const SideMacs& own, const SideMacs& before, TimePoint now, Effects& effects) {
    if (!follows_ && own.are_known()) {
        effects.emplace_back(HoldGate{gateway_, now + limits::kHolds, before});
    }
}

void Gate::begin_giving_back(TimePoint now) {
    gives_back_until_ = now + limits::kCallsResume;
}

void Gate::give_back(bool sessions_take_packets, TimePoint now, Effects& effects) {
    if (!gives_back_until_ || (!sessions_take_packets && now < *gives_back_until_)) {
        return;
    }
    gives_back_until_.reset();
    effects.emplace_back(GiveBack{gateway_});
}

std::optional<TimePoint> Gate::next_deadline() const {
    return earliest(lets_out_until_, gives_back_until_);
}

}  // namespace vpnha::node
