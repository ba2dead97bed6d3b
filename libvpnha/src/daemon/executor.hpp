// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a node's effects on real ports, in order, and feeds results back until nothing is left.
// Messages that the group does not accept at once wait here; meanwhile the node sends nothing more.
// The work of a protocol's keeper goes to the backend of that protocol.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cluster/effects/effect_runner.hpp"
#include "cluster/node/node.hpp"
#include "daemon/pacemaker/pacemaker_tools.hpp"
#include "host/corosync/corosync_group.hpp"
#include "ports/gate.hpp"
#include "ports/lease_links.hpp"
#include "ports/leases.hpp"
#include "ports/neighbours.hpp"
#include "ports/network.hpp"
#include "ports/services.hpp"
#include "protocols/backend.hpp"

namespace vpnha::runtime {

struct Ports {
    ports::Gate& gate;
    ports::Network& network;
    ports::Neighbours& neighbours;
    ports::Services& services;
    ports::Leases& leases;
    ports::LeaseLinks& lease_links;
    std::vector<ports::Backend*> backends{};
};

class Executor final : private effects::EffectRunner {
  public:
    // Answers to waiting requests; called from within run().
    struct Answers {
        std::function<void(const effects::AnswerRequest&)> request;
        std::function<void(const effects::AnswerPlugin&)> plugin;
        std::function<void(PluginToken)> end_plugin;
        std::function<void(const effects::ChangePlugin&)> change_plugin;
        std::function<void(const effects::AnswerAddress&)> address;
        std::function<void(const effects::WriteScore&)> score;
        std::function<void()> idle;  // The last gateway was detached.
        // This life of the node is fenced. Nothing more is done from here on.
        std::function<void()> fenced;
        // A part on which the lease depends has failed. Nothing more is done from here on.
        std::function<void(const Error&)> broken;
    };

    // All must outlive the executor.
    Executor(adapters::QbLoop& loop, node::Node& node, Ports ports, Answers answers);

    // The group is joined after the executor exists, because its first events go to it.
    void set_group(adapters::CorosyncGroup* group) { group_ = group; }

    // Within an effect it returns before these are done: they follow those under way.
    void run(effects::Effects effects);
    // A part on which the lease depends has failed: see Answers::broken.
    void break_off(const Error& error);

  private:
    // Each returns the effects that follow from the effect.
    effects::Effects execute(effects::SendToGroup& effect) override;
    effects::Effects execute(effects::ProtocolWork& work) override;
    effects::Effects execute(effects::SaveLease& effect) override;
    effects::Effects execute(effects::SendLease& effect) override;
    effects::Effects execute(effects::SetGate& effect) override;
    effects::Effects execute(effects::LeaveGate& effect) override;
    effects::Effects execute(effects::HoldGate& effect) override;
    effects::Effects execute(effects::GiveBack& effect) override;
    effects::Effects execute(effects::DrainGate& effect) override;
    effects::Effects execute(effects::RunStep& effect) override;
    effects::Effects execute(effects::Announce& effect) override;
    effects::Effects execute(effects::AskNeighbours& effect) override;
    effects::Effects execute(effects::AnswerPlugin& effect) override;
    effects::Effects execute(effects::AnswerAddress& effect) override;
    effects::Effects execute(effects::EndPlugin& effect) override;
    effects::Effects execute(effects::ChangePlugin& effect) override;
    effects::Effects execute(effects::AnswerRequest& effect) override;
    effects::Effects execute(effects::WriteScore& effect) override;
    effects::Effects execute(effects::WithdrawScore& effect) override;
    effects::Effects execute(effects::AskForEcho& effect) override;
    effects::Effects execute(effects::WatchServices& effect) override;
    effects::Effects execute(effects::ReportFailure& effect) override;
    effects::Effects execute(effects::Detached& effect) override;
    effects::Effects execute(effects::Fenced& effect) override;
    effects::Effects execute(effects::Log& effect) override;

    Result<void> run_step(const effects::RunStep& step);
    Result<void> open_gate(const effects::RunStep& step);
    effects::Effects reset_services(GatewayId gateway);
    effects::Effects on_services_reset(GatewayId gateway, const Result<void>& result);
    void send(Bytes message);
    void send_waiting();
    void arm_timer();

    adapters::QbLoop& loop_;
    node::Node& node_;
    Ports ports_;
    Answers answers_;
    adapters::CorosyncGroup* group_ = nullptr;
    std::deque<Bytes> waiting_;
    std::optional<TimePoint> armed_for_;  // The node's deadline to which kNodeTimer is set.
    PacemakerTools tools_;
    std::set<GatewayId> opened_;  // A moment ago.
    bool running_ = false;
    effects::Effects within_;  // From events within the effect that is under way.
    bool broken_ = false;
};

}  // namespace vpnha::runtime
