// SPDX-License-Identifier: GPL-2.0-or-later
// The verbs of the control socket (docs/reference/control-protocol.md): views are answered at once,
// those of all sessions in slices, changes when the node reports their result.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "daemon/origin.hpp"
#include "daemon/views/session_walks.hpp"
#include "daemon/views/views.hpp"
#include "host/control/control_server.hpp"
#include "host/corosync/cluster_map.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

class Requests {
  public:
    struct Daemon {
        std::function<void(effects::Effects)> run;
        std::function<nlohmann::json(std::map<GatewayId, SessionCounts>)> status;
        std::function<Result<nlohmann::json>()> gate;
        // Calls back when Pacemaker has received every score, or could not receive it.
        std::function<void(std::function<void()>)> after_scores;
        // Those of corosync.conf, also dead ones, and voters that it no longer lists.
        std::function<std::vector<adapters::ClusterNode>()> nodes;
        // The model of the cluster's quorum device; empty: it has none.
        std::function<std::string()> quorum_device;
        // Sessions of this node that no gateway keeps.
        std::function<std::vector<StraySession>()> strays;
        // See Origin::differences().
        std::function<std::vector<std::string>(const StartParameters& wanted)> differences;
        Restart restart;
        SessionWalks::Loop loop;
    };

    // All must outlive it.
    Requests(const config::Config& config, node::Node& node, Daemon daemon)
        : config_(config), node_(node), daemon_(std::move(daemon)), walks_(node, daemon_.loop) {}

    void on_request(const adapters::ControlRequest& request, adapters::ControlReply reply,
                    TimePoint now);
    void on_answer(const effects::AnswerRequest& answer);
    // A gateway was, since the start.
    [[nodiscard]] bool has_attached() const { return has_attached_; }

  private:
    using Verb = effects::Effects (*)(node::Node&, RequestToken, GatewayId,
                                      const nlohmann::json& arguments, TimePoint);
    [[nodiscard]] static Verb find_verb(const std::string& name);

    // A start that takes a stop back would start vpnhad with other parameters now. If other nodes
    // have all records of this node, it gets a new vpnhad: this one ends. False: it continues.
    [[nodiscard]] bool makes_way(GatewayId gateway, const nlohmann::json& arguments,
                                 adapters::ControlReply& reply, TimePoint now);
    void answer_monitor(GatewayId gateway, bool probe, adapters::ControlReply reply, TimePoint now);
    void confirm_dead(const nlohmann::json& arguments, adapters::ControlReply reply, TimePoint now);
    void vote_without(const nlohmann::json& arguments, adapters::ControlReply reply, TimePoint now);
    void fence(const nlohmann::json& arguments, adapters::ControlReply reply, TimePoint now);
    // Requests a planned move, once; the client repeats its request until the role has moved.
    void switch_over(const nlohmann::json& arguments, adapters::ControlReply reply, TimePoint now);
    // The one of nodes() that the arguments name, by its name or id.
    [[nodiscard]] Result<NodeId> node_of(const nlohmann::json& arguments) const;
    void answer_status(bool is_roots, adapters::ControlReply reply);
    void answer_sessions(const nlohmann::json& arguments, bool is_roots,
                         adapters::ControlReply reply);
    void add_strays(std::optional<GatewayId> only, SessionList& list) const;
    // The session whose id begins so.
    void find_session(const nlohmann::json& arguments, adapters::ControlReply reply);
    void end_session(GatewayId gateway, const wire::RecordKey& session,
                     adapters::ControlReply reply);
    void answer_plan(const nlohmann::json& arguments, adapters::ControlReply reply) const;
    // The named one, or the only one.
    [[nodiscard]] Result<GatewayId> gateway_of(const nlohmann::json& arguments) const;
    // None when none is named.
    [[nodiscard]] Result<std::optional<GatewayId>> only_gateway(
        const nlohmann::json& arguments) const;
    void finish(const effects::AnswerRequest& answer, const nlohmann::json& result);

    const config::Config& config_;
    node::Node& node_;
    Daemon daemon_;
    SessionWalks walks_;
    std::map<RequestToken, adapters::ControlReply> waiting_;
    std::set<RequestToken> attaching_;
    RequestToken next_token_ = 1;
    bool has_attached_ = false;
};

}  // namespace vpnha::runtime
