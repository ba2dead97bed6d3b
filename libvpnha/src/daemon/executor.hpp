// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a node's effects on real ports, in order, and feeds results back until nothing is left. What
// the group does not take at once waits here; meanwhile the node sends nothing more. What a
// protocol's keeper wants goes to the backend of that protocol.
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

class Executor final : private node::EffectRunner {
  public:
    // Answers to those who wait; called from within run().
    struct Answers {
        std::function<void(const node::AnswerRequest&)> request;
        std::function<void(const node::AnswerPlugin&)> plugin;
        std::function<void(PluginToken)> end_plugin;
        std::function<void(const node::ChangePlugin&)> change_plugin;
        std::function<void(const node::AnswerAddress&)> address;
        std::function<void(const node::WriteScore&)> score;
        std::function<void()> idle;  // The last gateway was detached.
        // This life of the node is fenced. Nothing more is done from here on.
        std::function<void()> fenced;
        // What the lease rests on has failed. Nothing more is done from here on.
        std::function<void(const Error&)> broken;
    };

    // All must outlive the executor.
    Executor(adapters::QbLoop& loop, node::Node& node, Ports ports, Answers answers);

    // The group is joined after the executor exists, because its first events go to it.
    void set_group(adapters::CorosyncGroup* group) { group_ = group; }

    // Within an effect it returns before these are done: they come behind those under way.
    void run(node::Effects effects);
    // What the lease rests on has failed: see Answers::broken.
    void break_off(const Error& error);

  private:
    // Each returns what follows from the effect.
    node::Effects execute(node::SendToGroup& effect) override;
    node::Effects execute(node::ProtocolWork& work) override;
    node::Effects execute(node::SaveLease& effect) override;
    node::Effects execute(node::SendLease& effect) override;
    node::Effects execute(node::SetGate& effect) override;
    node::Effects execute(node::LeaveGate& effect) override;
    node::Effects execute(node::HoldGate& effect) override;
    node::Effects execute(node::GiveBack& effect) override;
    node::Effects execute(node::DrainGate& effect) override;
    node::Effects execute(node::RunStep& effect) override;
    node::Effects execute(node::Announce& effect) override;
    node::Effects execute(node::AskNeighbours& effect) override;
    node::Effects execute(node::AnswerPlugin& effect) override;
    node::Effects execute(node::AnswerAddress& effect) override;
    node::Effects execute(node::EndPlugin& effect) override;
    node::Effects execute(node::ChangePlugin& effect) override;
    node::Effects execute(node::AnswerRequest& effect) override;
    node::Effects execute(node::WriteScore& effect) override;
    node::Effects execute(node::WithdrawScore& effect) override;
    node::Effects execute(node::AskForEcho& effect) override;
    node::Effects execute(node::WatchServices& effect) override;
    node::Effects execute(node::ReportFailure& effect) override;
    node::Effects execute(node::Detached& effect) override;
    node::Effects execute(node::Fenced& effect) override;
    node::Effects execute(node::Log& effect) override;

    Result<void> run_step(const node::RunStep& step);
    Result<void> open_gate(const node::RunStep& step);
    node::Effects reset_services(GatewayId gateway);
    node::Effects on_services_reset(GatewayId gateway, const Result<void>& result);
    void send(Bytes message);
    void send_waiting();
    void arm_timer();

    adapters::QbLoop& loop_;
    node::Node& node_;
    Ports ports_;
    Answers answers_;
    adapters::CorosyncGroup* group_ = nullptr;
    std::deque<Bytes> waiting_;
    std::optional<TimePoint> armed_for_;  // The node's deadline for which kNodeTimer stands.
    PacemakerTools tools_;
    std::set<GatewayId> opened_;  // A moment ago.
    bool running_ = false;
    node::Effects within_;  // Of events that came within the effect that is under way.
    bool broken_ = false;
};

}  // namespace vpnha::runtime
