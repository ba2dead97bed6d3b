// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a node's effects on real ports, in order, and feeds results back until nothing is left. What
// the group does not take at once waits here; meanwhile the node is told to say nothing more.
// Sessions are installed, and resumed ones speak, in slices, between which the loop does everything
// else: the lease must be renewed while thousands of sessions are taken over.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <variant>

#include "adapters/corosync/corosync_group.hpp"
#include "adapters/netlink/traffic_reader.hpp"
#include "adapters/radius/accounting_client.hpp"
#include "effects/effect_runner.hpp"
#include "node/node.hpp"
#include "ports/carrier.hpp"
#include "ports/charon.hpp"
#include "ports/flows.hpp"
#include "ports/gate.hpp"
#include "ports/ike_watch.hpp"
#include "ports/lease_links.hpp"
#include "ports/leases.hpp"
#include "ports/neighbours.hpp"
#include "ports/network.hpp"
#include "ports/port_map.hpp"
#include "ports/sa_table.hpp"
#include "ports/services.hpp"
#include "ports/session_kernel.hpp"
#include "runtime/install_queue.hpp"
#include "runtime/pacemaker/pacemaker_tools.hpp"
#include "runtime/pppd/proxies.hpp"
#include "runtime/pptp.hpp"
#include "runtime/scripts.hpp"

namespace vpnha::runtime {

struct Ports {
    ports::Gate& gate;
    ports::Network& network;
    ports::Neighbours& neighbours;
    ports::Services& services;
    ports::SessionKernel& kernel;
    ports::Flows& flows;
    ports::Leases& leases;
    ports::LeaseLinks& lease_links;
    // Of the gateway that has IPsec; nullptr where none has.
    ports::Charon* charon = nullptr;
    ports::SaTable* sas = nullptr;
    ports::PortMap* port_map = nullptr;
    ports::IkeWatch* ike_watch = nullptr;
    // Of the gateways that have PPTP; nullptr where none has.
    Pptp* pptp = nullptr;
    // nullptr where no gateway has accounting.
    adapters::AccountingClient* accounting = nullptr;
    // nullptr where no gateway has pppd's scripts run for resumed sessions.
    Scripts* scripts = nullptr;
    // nullptr where no session of PPP is carried.
    Proxies* proxies = nullptr;
    // Of protocols that come with the program.
    std::span<const std::unique_ptr<ports::Carrier>> carriers{};
};

class Executor final : private node::EffectRunner {
  public:
    // Answers to those who wait; called from within run().
    struct Answers {
        std::function<void(const node::AnswerRequest&)> request;
        std::function<void(const node::AnswerPlugin&)> plugin;
        std::function<void(node::PluginToken)> end_plugin;
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

    // Sessions of the gateway that wait to be installed.
    [[nodiscard]] std::size_t waiting_installs(GatewayId gateway) const {
        return installs_.size(gateway);
    }

  private:
    // Each returns what follows from the effect.
    node::Effects execute(node::SendToGroup& effect) override;
    node::Effects execute(node::L2tpWork& work) override;
    node::Effects execute(node::FlowWork& work) override;
    node::Effects execute(node::IpsecWork& work) override;
    node::Effects execute(node::PptpWork& work) override;
    node::Effects execute(node::AccountingWork& work) override;
    node::Effects execute(node::ScriptWork& work) override;
    node::Effects execute(node::ProxyWork& work) override;
    node::Effects execute(node::OtherWork& work) override;
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
    node::Effects execute(node::SendAccounting& request);
    node::Effects execute(node::ReadTraffic& wanted);
    node::Effects execute(node::RunUpScripts& work);
    node::Effects execute(node::RunDownScripts& work);
    node::Effects execute(node::RunStockDownScripts& work);
    node::Effects execute(node::InstallSession& effect);
    node::Effects execute(node::RemoveSession& effect);
    node::Effects execute(node::AuditSessions& effect);
    node::Effects execute(node::SendDatagram& effect);
    node::Effects execute(node::SendFrame& effect);
    node::Effects execute(node::FeedCharon& effect);
    node::Effects execute(node::TurnCharon& effect);
    node::Effects execute(node::ListSas& effect);
    node::Effects execute(node::SetCounters& effect);
    node::Effects execute(node::FlushSas& effect);
    node::Effects execute(node::HoldEsp& effect);
    node::Effects execute(node::MapPorts& effect);
    node::Effects execute(node::RekeyChildren& effect);
    node::Effects execute(node::EndIkeSas& effect);
    node::Effects execute(node::WatchIke& effect);
    node::Effects execute(node::SendIke& effect);
    node::Effects execute(node::WatchFlows& effect);
    node::Effects execute(node::UnwatchFlows& effect);
    node::Effects execute(node::ListFlows& effect);
    node::Effects execute(node::LookUpFlows& effect);
    node::Effects execute(node::InstallFlows& effect);
    node::Effects execute(node::RemoveFlows& effect);
    node::Effects execute(node::SetFlowTimeouts& effect);
    node::Effects execute(node::ListExpectations& effect);
    node::Effects execute(node::InstallExpectations& effect);
    node::Effects execute(node::RemoveExpectations& effect);
    node::Effects execute(node::SetExpectationTimeouts& effect);

    Result<void> run_step(const node::RunStep& step);
    Result<void> open_gate(const node::RunStep& step);
    node::Effects reset_services(GatewayId gateway);
    node::Effects on_services_reset(GatewayId gateway, const Result<void>& result);
    void audit_again();
    void schedule_installs();
    void install_slice();
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
    InstallQueue installs_;
    PacemakerTools tools_;
    adapters::TrafficReader traffic_;
    std::set<GatewayId> unaudited_;
    std::set<GatewayId> opened_;  // A moment ago.
    bool running_ = false;
    node::Effects within_;  // Of events that came within the effect that is under way.
    bool broken_ = false;
};

}  // namespace vpnha::runtime
