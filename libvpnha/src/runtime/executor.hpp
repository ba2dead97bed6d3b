// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a node's effects on real ports, in order, and feeds results back until nothing is left. What
// the group does not take at once waits here; meanwhile the node is told to say nothing more.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "adapters/corosync_group.hpp"
#include "node/node.hpp"
#include "ports/gate.hpp"
#include "ports/network.hpp"
#include "ports/services.hpp"
#include "ports/session_kernel.hpp"

namespace vpnha::runtime {

struct Ports {
    ports::Gate& gate;
    ports::Network& network;
    ports::Services& services;
    ports::SessionKernel& kernel;
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

  private:
    void execute(node::Effect& effect, std::deque<node::Effect>& queue);
    Result<void> run_step(GatewayId gateway, takeover::Step step);
    void send(Bytes message);
    void send_waiting();
    void arm_timer();

    adapters::QbLoop& loop_;
    node::Node& node_;
    Ports ports_;
    Answers answers_;
    adapters::CorosyncGroup* group_ = nullptr;
    std::deque<Bytes> waiting_;
};

}  // namespace vpnha::runtime
