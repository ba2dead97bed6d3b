// SPDX-License-Identifier: GPL-2.0-or-later
// A whole node of the cluster: all its gateways, the group's membership and the peers' hellos.
// Pure; the daemon runs it on real ports, the simulator on fake ones.
//
// Each event returns the effects to carry out, in order. While the group accepts no messages (CPG
// flow control) none is sent: set_group_writable() reports when it accepts them again.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "cluster/effects/effects.hpp"
#include "cluster/gateway/gateway_node.hpp"
#include "cluster/wire/codec.hpp"
#include "protocols/ppp/plugin_event.hpp"

namespace vpnha::node {

struct Settings {
    NodeId self{};
    std::string name;            // Its name in Pacemaker, by which other nodes report it.
    std::uint64_t instance = 0;  // Of this life of vpnhad; random.
    Duration confirm_wait = std::chrono::milliseconds(50);
    std::vector<GatewaySettings> gateways;
    // The items compared with the other nodes: one set for each gateway, one with gateway 0.
    std::vector<wire::Setup> setups;
    // Both must outlive the node.
    std::span<const wire::Codec> codecs = wire::released_codecs();
    std::span<const keepers::Make> families = keepers::families();
};

// An item that differs in another member's set-up, or that only one of the two has.
struct Difference {
    NodeId node;
    GatewayId gateway;  // 0: of the whole node.
    std::string item;
    wire::Weight weight{};
};

struct Counters {
    std::uint64_t messages_malformed = 0;    // Group messages that did not parse; dropped.
    std::uint64_t messages_unsupported = 0;  // Of a wire version that this node does not support.
    std::uint64_t messages_ignored = 0;      // Optional ones of a later version.
    std::uint64_t unknown_gateway = 0;       // Plugins naming a gateway that is not configured.
};

class Node {
  public:
    explicit Node(Settings settings);

    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    // Cluster. `quorate`: votequorum's state of this side, at the same moment.
    [[nodiscard]] Effects on_members(const std::set<NodeId>& members, bool quorate, TimePoint now);
    // That member's vpnhad has died, its node lives. Called before the members without it.
    [[nodiscard]] Effects on_process_died(NodeId member, TimePoint now);
    // The kernel of that node has answered AskForEcho.
    [[nodiscard]] Effects on_echo(NodeId node, TimePoint now);
    [[nodiscard]] Effects on_group_message(NodeId sender, ByteView bytes, TimePoint now);
    [[nodiscard]] Effects set_group_writable(bool writable, TimePoint now);
    // While it is true no record leaves this node, because the group sends unencrypted.
    [[nodiscard]] Effects withhold_records(bool withheld, TimePoint now);

    // A datagram of another node's lease: authentic, and not replayed.
    [[nodiscard]] Effects on_lease_message(GatewayId gateway, const lease::Sender& sender,
                                           const lease::Message& message, TimePoint now);

    // The result of a SaveLease, and of those with lower tickets.
    [[nodiscard]] Effects on_lease_saved(GatewayId gateway, std::uint64_t ticket,
                                         const Result<void>& result, TimePoint now);

    // Agents; the answer comes as AnswerRequest.
    [[nodiscard]] Effects attach(RequestToken request, GatewayId gateway,
                                 const std::string& resource, TimePoint now);
    [[nodiscard]] Effects detach(RequestToken request, GatewayId gateway, TimePoint now);
    // The records of stopped gateways are dropped: vpnhad is to end.
    [[nodiscard]] Effects end_stopped(TimePoint now);
    // vpnhad ends, whatever the reason: shuts the gates that are open, and releases their leases.
    // The standbys need not wait for the ends of these, and a lost group delivers no other message.
    [[nodiscard]] Effects release_leases(TimePoint now);
    [[nodiscard]] Effects promote(RequestToken request, GatewayId gateway, TimePoint now);
    [[nodiscard]] Effects demote(RequestToken request, GatewayId gateway, TimePoint now);

    // Results of effects.
    [[nodiscard]] Effects on_step_done(GatewayId gateway, takeover::Step step,
                                       const Result<void>& result, TimePoint now);
    // The results of a family's work, and other events of the kernel about it.
    [[nodiscard]] Effects on_event(GatewayId gateway, const KeeperEvent& event, TimePoint now);
    // The same for the keepers of all gateways: the kernel's news of a family was lost.
    [[nodiscard]] Effects on_event(const KeeperEvent& event, TimePoint now);

    // A stock daemon of the gateway has died; `resource` is its name in the cluster.
    [[nodiscard]] Effects on_service_died(GatewayId gateway, const std::string& resource,
                                          TimePoint now);

    // Pacemaker probes the gateway for the first time, and may have forgotten its score.
    [[nodiscard]] Effects on_probe(GatewayId gateway, TimePoint now);

    // A side of the gateway has got or lost its carrier on this node; it has one until this reports
    // otherwise. on_neighbour(): that address of the side has answered.
    [[nodiscard]] Effects on_carrier(GatewayId gateway, LinkSide side, bool carrier, TimePoint now);
    [[nodiscard]] Effects on_neighbour(GatewayId gateway, LinkSide side, const IpAddress& address,
                                       TimePoint now);
    // Somebody had removed addresses of the gateway, and they are back.
    [[nodiscard]] Effects announce_again(GatewayId gateway, TimePoint now);

    // Conflicts with other programs in the gateway's routing tables and rule preference on this
    // node, as text; none until this reports otherwise.
    [[nodiscard]] Effects set_routing(GatewayId gateway, std::vector<std::string> conflicts,
                                      TimePoint now);
    // Of this node's devices, if it can hold packets for the gateway; otherwise SideMacs{}.
    [[nodiscard]] Effects set_macs(GatewayId gateway, const SideMacs& macs, TimePoint now);

    // Unix time less CLOCK_BOOTTIME, of this node, as it is now: the clock may have been set.
    void set_wall(Duration wall);
    [[nodiscard]] Duration wall() const { return wall_; }

    // The items that this node compares with the others have changed.
    [[nodiscard]] Effects set_setups(std::vector<wire::Setup> setups, TimePoint now);

    // Power is off at that node, by its fencing device or the operator: on all gateways.
    [[nodiscard]] Effects confirm_dead(RequestToken request, NodeId victim, lease::Confirmed by,
                                       TimePoint now);
    // The operator reports that that node remembers nothing of the leases, or is off for good: no
    // gateway of this node waits for it. Error: none did, or it is a member that has yet to answer.
    [[nodiscard]] Effects vote_without(RequestToken request, NodeId node, TimePoint now);
    // Has a majority of the voters mark the newest known life of that node, on all gateways.
    // Answered when no promise to it holds any more, or with an error: at once when that is
    // impossible, or after `patience`. Victims have their turn one after the other. Beside a
    // witness the node that serves fewer gateways may wait before it asks (node/duel.hpp).
    [[nodiscard]] Effects fence(RequestToken request, NodeId victim, Duration patience,
                                TimePoint now);
    // The nodes of corosync.conf, ascending. The lists of voters follow them one node at a time.
    [[nodiscard]] Effects set_voters(const std::vector<NodeId>& voters, TimePoint now);

    // `vpnha release`: this node stops standing in.
    [[nodiscard]] Effects stop_standing_in(RequestToken request, GatewayId gateway, TimePoint now);
    // `vpnha switchover`: sends the group the result of plan_move().
    [[nodiscard]] Effects ask_move(GatewayId gateway, const MovePlan& plan, TimePoint now);
    // `vpnha session end`.
    [[nodiscard]] Effects end_session(RequestToken request, GatewayId gateway,
                                      const wire::RecordKey& session, TimePoint now);
    // The same for the one session that `server`, one of RADIUS, names. Errors: not_found, no
    // gateway with accounting has it; busy, it may live where this node does not serve;
    // invalid_argument, there are several; unsupported, the session cannot be ended.
    [[nodiscard]] Result<Effects> disconnect(const SessionIdentity& identity,
                                             const std::string& server, TimePoint now);
    // Other terms for that session. Errors: the same.
    [[nodiscard]] Result<Effects> change_session(const SessionIdentity& identity,
                                                 const ppp::TermsChange& change,
                                                 const std::string& server, TimePoint now);
    // `vpnha drain`, from that time on, and `vpnha undrain` without one.
    [[nodiscard]] Effects drain(RequestToken request, GatewayId gateway,
                                std::optional<std::uint64_t> since_unix_ms, TimePoint now);
    // `vpnha resync`.
    [[nodiscard]] Effects resync(RequestToken request, GatewayId gateway, TimePoint now);

    // Sessions.
    [[nodiscard]] Effects on_plugin_up(PluginToken plugin, const std::string& gateway,
                                       const PluginSession& session,
                                       const std::string& not_resumable, TimePoint now,
                                       const RadiusReply& radius = {});
    // A pppd requests an address for its client. → AnswerAddress
    [[nodiscard]] Effects on_plugin_asks(PluginToken plugin, const std::string& gateway,
                                         const std::string& user, TimePoint now);
    [[nodiscard]] Effects on_plugin_down(PluginToken plugin, TimePoint now,
                                         const PluginEnd& end = {});

    [[nodiscard]] Effects on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] const std::map<GatewayId, GatewayNode>& gateways() const { return gateways_; }
    [[nodiscard]] const GatewayNode* find(GatewayId gateway) const;
    [[nodiscard]] const std::set<NodeId>& members() const { return members_; }
    // The nodes of all lists of voters, of all gateways, current and next; ascending.
    [[nodiscard]] std::vector<NodeId> voters() const;
    // When a former member was lost.
    [[nodiscard]] std::optional<TimePoint> lost_at(NodeId node) const;
    // How many gateways it serves: this node by its own role, another one by the newest epoch.
    [[nodiscard]] std::size_t gateways_of(NodeId node) const;
    [[nodiscard]] bool quorate() const { return quorate_; }
    [[nodiscard]] const std::map<NodeId, wire::Hello>& peers() const { return peers_; }
    // From their introductions since this vpnhad started, including those that are lost.
    [[nodiscard]] const std::map<NodeId, std::string>& announced_names() const { return names_; }
    // The wire version sent to the group.
    [[nodiscard]] std::uint8_t wire_version() const { return speech_.version; }
    // Members with which this node shares no wire version.
    [[nodiscard]] std::set<NodeId> incompatible() const;
    // Between this node and every other member.
    [[nodiscard]] std::vector<Difference> differences() const;
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] bool any_attached() const;
    // The present life of this node is fenced on one of its gateways.
    [[nodiscard]] bool fenced() const;
    // The newest known life of that node is marked here on all gateways.
    [[nodiscard]] bool is_marked(NodeId node) const;
    // That node has had this one marked at the witness, and is to switch it off: the loser of a
    // duel leaves it the time for that.
    [[nodiscard]] bool has_lost_to(NodeId node, TimePoint now) const;

  private:
    using Lives = std::map<GatewayId, lease::BootId>;
    struct Waiting {
        RequestToken request;
        TimePoint until{};
    };
    struct NamedSession {
        GatewayNode* gateway;
        wire::RecordKey key;
    };
    struct Fencing {
        NodeId victim;
        Lives lives;
        TimePoint since{};
        TimePoint again_at{};  // The voters are asked.
        std::vector<Waiting> waiting;
        std::size_t asked{};  // On so many gateways it has asked for marks.
        bool waits = false;   // As logged.
    };

    // Ends every event: due messages of all gateways, and a hello when its content has changed.
    void settle(TimePoint now, Effects& effects);
    [[nodiscard]] wire::Hello hello() const;
    // An event of a configured gateway.
    template <class Event>
    Effects notify(GatewayId gateway, TimePoint now, Event event);
    // The same for an agent, which gets an error when there is no such gateway.
    template <class Event>
    Effects for_gateway(RequestToken request, GatewayId gateway, TimePoint now, Event event);

    [[nodiscard]] Result<NamedSession> session_named(const SessionIdentity& identity);
    [[nodiscard]] Result<Lives> fenceable(NodeId victim, TimePoint now) const;
    // On how many gateways the request for marks has come so far: agreed, refused, done.
    [[nodiscard]] std::size_t count(const Fencing& fencing,
                                    bool lease::Engine::Fencing::*what) const;
    [[nodiscard]] bool is_fenced(const Fencing& fencing) const;
    // When this node asks for marks; {}: at once.
    [[nodiscard]] TimePoint asks_at(const Fencing& fencing, TimePoint now) const;
    [[nodiscard]] bool asks_now(const Fencing& fencing, TimePoint now) const;
    [[nodiscard]] bool is_refused(const Fencing& fencing) const;
    void continue_fencing(TimePoint now, Effects& effects);
    [[nodiscard]] Result<void> ask_for_marks(Fencing& fencing, TimePoint now, Effects& effects);
    void give_up_fencing(TimePoint now, Effects& effects);

    void on_hello(NodeId sender, const wire::Hello& hello, Effects& effects);
    // Passes to each gateway the nodes that serve others, when these have changed.
    void note_holders();
    // Reports each gateway's differences from the promoted node, when they may be new.
    void compare_setups(TimePoint now, Effects& effects);
    void choose_version(Effects& effects);
    void log_dropped(NodeId sender, const Error& error, Effects& effects);

    Settings settings_;
    Duration wall_{};
    Speech speech_;
    std::map<GatewayId, GatewayNode> gateways_;
    std::set<NodeId> members_;
    std::map<NodeId, TimePoint> lost_at_;
    bool quorate_ = false;
    std::map<NodeId, wire::Hello> peers_;
    std::map<NodeId, std::string> names_;
    std::map<std::pair<NodeId, GatewayId>, wire::Setup> setups_;  // From the peers' messages.
    std::optional<wire::Hello> last_hello_;
    bool setups_due_ = false;
    bool setups_changed_ = false;
    std::map<GatewayId, std::optional<NodeId>> compared_with_;
    std::map<GatewayId, NodeId> holders_;  // By the newest epochs of the group.
    bool writable_ = true;
    std::deque<Fencing> fencings_;  // The first one is under way.
    Counters counters_;
};

}  // namespace vpnha::node
