// SPDX-License-Identifier: GPL-2.0-or-later
// A whole cluster in virtual time, and what a seed lets happen to it. First M steps, each a fault
// or something that clients or administrators do, then all faults end, and the cluster has minutes
// to settle.
//
//   clients ── sessions ──▶ machines (real nodes) ── effects ──▶ kernels, gates, disks
//                              ▲          │
//              pacemaker ──────┘          └── messages ──▶ totem ──▶ machines
//   oracle: sees it all
#pragma once

#include "protocols/l2tp/work.hpp"
#include "sim/clients.hpp"
#include "sim/ike_clients.hpp"
#include "sim/machine.hpp"
#include "sim/oracle.hpp"
#include "sim/pacemaker.hpp"
#include "sim/plan.hpp"
#include "sim/story.hpp"
#include "sim/totem.hpp"
#include "sim/traffic.hpp"

namespace vpnha::sim {

class World : private Surroundings {
  public:
    World(const Plan& plan, Story::Mode mode);

    // Throws Failure when an invariant does not hold.
    Tally run();

    [[nodiscard]] const Story& story() const { return story_; }

  private:
    bool send_to_group(NodeId node, const Bytes& message) override;
    void before_message(Machine& machine, const GroupMessage& message) override;
    void on_effects(Machine& machine, const effects::Effects& effects, bool silenced) override;
    void on_effect(Machine& machine, const effects::Effect& effect) override;
    void on_lease(Machine& machine, const effects::SendLease& sent) override;
    void on_answer(Machine& machine, const effects::AnswerRequest& answer) override;
    void on_withdrawn(const effects::WithdrawScore& score) override;
    void on_echo_asked(Machine& machine, const effects::AskForEcho& asked) override;
    void on_datagram(Machine& machine, const node::SendDatagram& datagram) override;
    void on_frame(Machine& machine, const node::SendFrame& frame) override;
    void on_call_started(Machine& machine, const node::StartCall& started) override;
    void on_fenced(Machine& machine) override;
    void on_account(Machine& machine, const node::SendAccounting& sent) override;
    void on_call_sent(Machine& machine, const CallSent& sent) override;
    void on_numbers(Machine& machine, const Numbers::Key& sa, std::uint64_t first,
                    std::uint64_t count) override;
    void on_warm(Machine& machine, GatewayId gateway, const keepers::Margin& margin) override;
    void on_number_set(Machine& machine, const Numbers::Key& sa, std::uint64_t next) override;
    void on_settled(Machine& machine, bool of_lease) override;
    void on_charon_active(Machine& machine) override;
    void on_ike_end(Machine& machine, const ipsec::IkeKey& key) override;
    void on_child_rekey(Machine& machine, std::uint32_t spi) override;
    void on_charon_broken(Machine& machine, const std::string& what) override;
    void on_peer_tried(Machine& machine, GatewayId gateway) override;

    void pass(Duration time);
    void boot(NodeId node);
    void start_daemon(NodeId node, Duration after);
    void cut_power(NodeId node);
    void fence(NodeId node);
    void kill_daemon(NodeId node);
    void end_daemon(NodeId node);
    // One at a time, while all others remember: of more an administrator has to say what was.
    [[nodiscard]] bool may_lose_disk(NodeId node) const;
    void end_faults();
    void vouch();
    void shatter();

    // One step.
    void step();
    void work();
    void dial(GatewayId gateway);
    // Of L2TP or PPTP.
    [[nodiscard]] wire::RecordKey dial_any(GatewayId gateway, bool poison, bool refused,
                                           bool resumable);
    void hang_up();
    void end_session(const wire::RecordKey& record, const Session& session);
    void hang_up_resumed(const wire::RecordKey& record, GatewayId gateway);
    void negotiate_again();
    void storm();
    void strike(Fault fault);
    void strike_node(Fault fault, NodeId node);
    void split();
    void storm_rings();
    // Until then, unless another storm has begun.
    void shake_rings(TimePoint end, std::uint64_t number);
    void pause(NodeId node);
    void pause_for(NodeId node, Duration time, bool clock_continues);
    void hang_corosync(NodeId node);
    // Nothing happens for a while, and what is broken stays so.
    void lull();
    void watch_silence();
    void emit_garbage(NodeId node);
    void lose_sessions(Machine& machine, bool news);
    void ask_to_move(NodeId node);
    void lose_links(NodeId node);
    void begin_new_call();
    // What the client of that tunnel has said goes to who serves it, until it is acknowledged.
    void notify(GatewayId gateway, const l2tp::TunnelKey& tunnel, const Bytes& bytes);
    void pass_packets();
    void pass_calls();
    void pass_ipsec();
    // Both, while nothing else happens.
    void beat();
    void answer(Machine& machine, GatewayId gateway, const pptp::CallKey& key,
                std::vector<FromCaller> packets);
    void answer(Machine& machine, GatewayId gateway, const pptp::CallKey& key,
                CallReceived received);
    void strike_who_stands_in();
    void strike_flows(Fault fault, Machine& machine);
    void lose_lease(NodeId node);
    void change_voters(NodeId node);
    void notify_voters(Duration within);

    [[nodiscard]] NodeId any_node();
    [[nodiscard]] GatewayId any_gateway();
    [[nodiscard]] Machine* holder(GatewayId gateway);
    // A promotion or demotion is under way.
    [[nodiscard]] bool is_moving() const;

    Plan plan_;
    test::Random random_;
    Agenda agenda_;
    Story story_;
    Clients clients_;
    Callers callers_;
    IkeClients ike_clients_;
    Traffic traffic_;
    test::Random of_stand_in_;
    test::Random of_lulls_;
    test::Random of_calls_;
    test::Random of_accounts_;
    test::Random of_ipsec_;
    test::Random of_new_calls_;
    Machines machines_;
    Totem totem_;
    Pacemaker pacemaker_;
    Oracle oracle_;
    PluginToken next_plugin_ = 1;
    std::map<NodeId, Bytes> last_emitted_;
    std::map<NodeId, std::uint64_t> pauses_;
    std::uint64_t ring_storms_ = 0;
    std::set<std::pair<NodeId, NodeId>> deaf_;  // (from, to): for the lease alone.
    std::set<NodeId> voters_;                   // As corosync.conf has them.
    TimePoint disk_lost_at_{};
    bool faults_over_ = false;
    bool clients_are_quiet_ = false;
};

}  // namespace vpnha::sim
