// SPDX-License-Identifier: GPL-2.0-or-later
// A whole node of the cluster: all its gateways, the group's membership and the peers' hellos.
// Pure; the daemon runs it on real ports, the simulator on fake ones.
//
// Events go in one at a time, each returns what is to be done, in order. While the group takes no
// messages (CPG flow control) nothing more is said: set_group_writable() tells when it does again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "node/effects.hpp"
#include "node/gateway_node.hpp"

namespace vpnha::node {

struct Settings {
    NodeId self{};
    std::string name;
    std::uint64_t instance = 0;  // Random per start.
    Duration confirm_wait = std::chrono::milliseconds(50);
    std::vector<GatewaySettings> gateways;
};

struct Counters {
    std::uint64_t messages_malformed = 0;    // Group messages that did not parse; dropped.
    std::uint64_t messages_unsupported = 0;  // Of a wire version this node does not speak.
    std::uint64_t unknown_gateway = 0;       // Plugins naming a gateway that is not configured.
};

class Node {
  public:
    explicit Node(Settings settings);

    // Cluster.
    [[nodiscard]] Effects on_members(const std::set<NodeId>& members, TimePoint now);
    [[nodiscard]] Effects on_group_message(NodeId sender, ByteView bytes, TimePoint now);
    [[nodiscard]] Effects set_group_writable(bool writable, TimePoint now);

    // Agents; the answer comes as AnswerRequest.
    [[nodiscard]] Effects attach(RequestToken request, GatewayId gateway,
                                 const std::string& resource, TimePoint now);
    [[nodiscard]] Effects detach(RequestToken request, GatewayId gateway, TimePoint now);
    [[nodiscard]] Effects promote(RequestToken request, GatewayId gateway, TimePoint now);
    [[nodiscard]] Effects demote(RequestToken request, GatewayId gateway, TimePoint now);

    // Results of effects.
    [[nodiscard]] Effects on_step_done(GatewayId gateway, takeover::Step step,
                                       const Result<void>& result, TimePoint now);
    [[nodiscard]] Effects on_installed(GatewayId gateway, const l2tp::SessionKey& key,
                                       const Result<void>& result, TimePoint now);

    // Sessions.
    [[nodiscard]] Effects on_plugin_up(PluginToken plugin, const std::string& gateway,
                                       const l2tp::SessionRecord& record,
                                       const std::string& not_resumable, TimePoint now);
    [[nodiscard]] Effects on_plugin_down(PluginToken plugin, TimePoint now);
    [[nodiscard]] Effects on_datagram(GatewayId gateway, const l2tp::TunnelKey& tunnel,
                                      ByteView bytes, TimePoint now);
    [[nodiscard]] Effects on_frame(GatewayId gateway, const l2tp::SessionKey& session,
                                   ByteView frame, TimePoint now);

    [[nodiscard]] Effects on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] const std::map<GatewayId, GatewayNode>& gateways() const { return gateways_; }
    [[nodiscard]] const GatewayNode* find(GatewayId gateway) const;
    [[nodiscard]] const std::set<NodeId>& members() const { return members_; }
    [[nodiscard]] const std::map<NodeId, wire::Hello>& peers() const { return peers_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] bool any_attached() const;

  private:
    // Ends every event: due messages of all gateways, and a hello when what it says has changed.
    void settle(TimePoint now, Effects& effects);
    [[nodiscard]] wire::Hello hello() const;
    // An event of a configured gateway.
    template <class Event>
    Effects tell(GatewayId gateway, TimePoint now, Event event);
    // The same for an agent, which is told when there is no such gateway.
    template <class Event>
    Effects for_gateway(RequestToken request, GatewayId gateway, TimePoint now, Event event);

    Settings settings_;
    std::map<GatewayId, GatewayNode> gateways_;
    std::set<NodeId> members_;
    std::map<NodeId, wire::Hello> peers_;
    std::optional<wire::Hello> last_hello_;
    bool writable_ = true;
    Counters counters_;
};

}  // namespace vpnha::node
