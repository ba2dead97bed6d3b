// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a node's effects on real ports, in order, and feeds results back until nothing is left. What
// the group does not take at once waits here; meanwhile the node is told to say nothing more.
// Sessions are installed in slices, between which the loop does everything else.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "adapters/corosync_group.hpp"
#include "node/node.hpp"
#include "ports/epochs.hpp"
#include "ports/gate.hpp"
#include "ports/network.hpp"
#include "ports/services.hpp"
#include "ports/session_kernel.hpp"
#include "runtime/install_queue.hpp"

namespace vpnha::runtime {

struct Ports {
    ports::Gate& gate;
    ports::Network& network;
    ports::Services& services;
    ports::SessionKernel& kernel;
    ports::Epochs& epochs;
};

class Executor {
  public:
    // Answers to those who wait; called from within run().
    struct Answers {
        std::function<void(const node::AnswerRequest&)> request;
        std::function<void(const node::AnswerPlugin&)> plugin;
        std::function<void(const node::WriteScore&)> score;
        std::function<void()> idle;  // The last gateway was detached.
    };

    // All must outlive the executor.
    Executor(adapters::QbLoop& loop, node::Node& node, Ports ports, Answers answers);

    // The group is joined after the executor exists, because its first events go to it.
    void set_group(adapters::CorosyncGroup* group) { group_ = group; }

    void run(node::Effects effects);

    // Sessions of the gateway that wait to be installed.
    [[nodiscard]] std::size_t waiting_installs(GatewayId gateway) const {
        return installs_.size(gateway);
    }

  private:
    // Each returns what follows from the effect.
    node::Effects execute(node::SendToGroup& effect);
    node::Effects execute(node::InstallSession& effect);
    node::Effects execute(node::RemoveSession& effect);
    node::Effects execute(node::AuditSessions& effect);
    node::Effects execute(node::SaveEpoch& effect);
    node::Effects execute(node::RunStep& effect);
    node::Effects execute(node::Announce& effect);
    node::Effects execute(node::SendDatagram& effect);
    node::Effects execute(node::SendFrame& effect);
    node::Effects execute(node::AnswerPlugin& effect);
    node::Effects execute(node::AnswerRequest& effect);
    node::Effects execute(node::WriteScore& effect);
    node::Effects execute(node::Detached& effect);
    node::Effects execute(node::Log& effect);

    Result<void> run_step(const node::RunStep& step);
    void audit_again();
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
    InstallQueue installs_;
    std::set<GatewayId> unaudited_;
};

}  // namespace vpnha::runtime
