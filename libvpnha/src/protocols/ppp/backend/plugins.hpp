// SPDX-License-Identifier: GPL-2.0-or-later
// The pppds of this node: passes their plugins' sessions to the node, and its answers to them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/burst.hpp"
#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"
#include "protocols/ppp/backend/plugin_server.hpp"
#include "protocols/ppp/backend/stray_sessions.hpp"
#include "protocols/ppp/ppp_protocol.hpp"

namespace vpnha::runtime {

class Plugins {
  public:
    // All must outlive it. `nodes`: of corosync.conf, as they are at the time. `run` carries out
    // the effects.
    Plugins(const config::Config& config, adapters::QbLoop& loop, node::Node& node,
            const std::vector<adapters::ClusterNode>& nodes,
            std::vector<ports::PppProtocol*> protocols, std::function<void(effects::Effects)> run)
        : config_(config),
          loop_(loop),
          node_(node),
          nodes_(nodes),
          protocols_(std::move(protocols)),
          run_(std::move(run)) {}
    Plugins(const Plugins&) = delete;
    Plugins& operator=(const Plugins&) = delete;

    [[nodiscard]] Result<void> open();

    void answer(const effects::AnswerPlugin& answer) {
        server_->answer({answer.plugin}, answer.reason);
    }
    void answer(const effects::AnswerAddress& answer) {
        if (answer.refusal.empty()) {
            server_->give({answer.plugin}, answer.address);
        } else {
            server_->refuse({answer.plugin}, answer.refusal);
        }
    }
    void end(PluginToken plugin) { server_->end({plugin}); }
    void change(const effects::ChangePlugin& change) {
        server_->change({change.plugin}, change.timeouts, change.rate);
    }
    [[nodiscard]] std::vector<StraySession> strays() const { return strays_.list(); }
    [[nodiscard]] const adapters::PluginCounters& counters() const { return server_->counters(); }

  private:
    void on_up(adapters::PluginClientId client, const adapters::PluginSessionUp& up);
    void on_gone(adapters::PluginClientId client, bool announced);
    // Logs one a minute at most: each plugin of a wrong version tries again and again.
    void on_malformed(pid_t pid, const Error& error);

    const config::Config& config_;
    adapters::QbLoop& loop_;
    node::Node& node_;
    const std::vector<adapters::ClusterNode>& nodes_;
    std::vector<ports::PppProtocol*> protocols_;
    std::function<void(effects::Effects)> run_;
    StraySessions strays_;
    Burst malformed_log_{1, std::chrono::minutes(1)};
    std::unique_ptr<adapters::PluginServer> server_;
};

}  // namespace vpnha::runtime
