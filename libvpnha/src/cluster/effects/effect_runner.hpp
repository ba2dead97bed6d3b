// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out effects, each with its own function. The daemon's executor, the simulator's machine
// and the fake of the unit tests derive from it. An effect that one of them does not handle does
// not compile; std::visit ensures the same for a protocol's work.
#pragma once

#include "cluster/effects/effects.hpp"

namespace vpnha::effects {

class EffectRunner {
  public:
    // Returns the effects that follow from it.
    [[nodiscard]] Effects run_one(Effect& effect) {
        return std::visit([this](auto& each) { return execute(each); }, effect);
    }

  protected:
    EffectRunner() = default;
    ~EffectRunner() = default;

    virtual Effects execute(SendToGroup& effect) = 0;
    virtual Effects execute(ProtocolWork& work) = 0;
    virtual Effects execute(SaveLease& effect) = 0;
    virtual Effects execute(SendLease& effect) = 0;
    virtual Effects execute(SetGate& effect) = 0;
    virtual Effects execute(LeaveGate& effect) = 0;
    virtual Effects execute(HoldGate& effect) = 0;
    virtual Effects execute(GiveBack& effect) = 0;
    virtual Effects execute(DrainGate& effect) = 0;
    virtual Effects execute(RunStep& effect) = 0;
    virtual Effects execute(Announce& effect) = 0;
    virtual Effects execute(AskNeighbours& effect) = 0;
    virtual Effects execute(AnswerPlugin& effect) = 0;
    virtual Effects execute(AnswerAddress& effect) = 0;
    virtual Effects execute(EndPlugin& effect) = 0;
    virtual Effects execute(ChangePlugin& effect) = 0;
    virtual Effects execute(AnswerRequest& effect) = 0;
    virtual Effects execute(WriteScore& effect) = 0;
    virtual Effects execute(WithdrawScore& effect) = 0;
    virtual Effects execute(AskForEcho& effect) = 0;
    virtual Effects execute(WatchServices& effect) = 0;
    virtual Effects execute(ReportFailure& effect) = 0;
    virtual Effects execute(Detached& effect) = 0;
    virtual Effects execute(Fenced& effect) = 0;
    virtual Effects execute(Log& effect) = 0;
};

}  // namespace vpnha::effects
