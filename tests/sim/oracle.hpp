// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold after every step, whatever happened. The oracle sees more than any node: all that
// is said, all kernels, all disks and what the clients know.
//
//   epochs       Each claim's epoch is a new one, on the claimant's disk, and (without a bad day)
//                above all that its peers follow. It is claimed with quorum, and deposes
//                nobody who serves under a newer epoch than the claimant did. No epoch is asked
//                for, or granted, that is not on the node's disk.
//   old-epoch    A message of an older epoch changes nothing. No gate is opened under an epoch when
//                the node knows a newer one, none stays open once it has fallen silent.
//                Whoever a replica takes for the holder has claimed its epoch.
//   one-gate     No two nodes have a gateway's gate open, fenced or not, except one lease after a
//                thaw; a node that is reported to be demoted has its gate shut, or is draining.
//   silence      A standby sends no datagram and no frame, and a node that stands in none before
//                its claim; a node that the group does not hear says nothing but a claim or a
//                barrier.
//   sequence     The numbers of an epoch are said once each, without gaps, by their claimant; what
//                a snapshot says of one is what was said first, and no two records share one.
//   unknown      Nobody erases a record of a type that it does not know.
//   equal        Complete replicas at the same point have the same count, digest and records.
//   confirm      Whoever confirms has every record up to there in its kernel, but the refused ones.
//                Of an SA its charon, and its kernel, has had it since charon is there.
//   protected    What a holder reports as protected was installed in another node's kernel, or had
//                by another node's charon.
//   lost         What was reported as protected, and is in the kernel of the node that is promoted
//                next, is resumed there. A complete replica does not miss what another has; nor is
//                it complete when a member is so in a newer epoch.
//                Who stands in claims with all that was reported, and who is promoted with all that
//                a complete replica in reach has.
//   flows        What was installed on the next promoted node is in its kernel when it serves, with
//                nothing done about it. At the end every flow of the promoted node's kernel that is
//                worth it is hot in all others' as it is there, and nothing else of the gateway is.
//                The same holds for what their helpers expect.
//   frozen       No score is written while a lost holder has no successor, except at a start, and
//                a lower one by who has missed an epoch.
//   silent       Where standbys stand in, nobody is silent for more than 3 s by himself: with a
//                complete replica, a majority of the voters in reach of it and in its quorate ring,
//                all of them well, somebody serves, whether fencing ends or not. Nor is a promoted
//                node whose lease has lapsed, and whose voters answer it, without a ring either.
//   disk         Who has had a disk that takes nothing for a minute does not count on it.
//   unheard      Pacemaker is told of a promoted node whose claims all others answer in vain.
//   links        A gateway is given away by who has lost a side to a member that has said to be in
//                sync and to have lost fewer. Nobody says of a side that it is good before it was
//                so for the hold-off.
//   livelock     Nothing continues for ever while no time passes (agenda.hpp).
//   limits       Queues and the replicas' sets stay within their bounds.
//   ns-reused    No client gets two contents under one L2TP Ns.
//   counters     No number of an SA, or of a session of echo, is used twice, by whomever; after a
//                handover that is exact none is left out. No two nodes make counters warm under
//                one number of an epoch.
//   calls        No index of MPPE encrypts two packets of a PPTP call, whoever sends them. Data has
//                a GRE number that its client takes. Nobody ends the call of a client that lives.
//   ipsec        An IKE or CHILD SA that was reported as protected, and is there when a takeover
//                begins, is there when charon speaks. Nobody ends the IKE SA of a client that
//                lives, of which a CHILD SA is in its kernel. A kernel takes what a client sends
//                next, and nothing that the records say has come. charon is fed nothing that breaks
//                it. At the end all charons and kernels have the SAs of the clients.
//   peers        No standby shakes hands with a peer of WireGuard. Who serves does so with each
//                peer within a second.
//   accounts     An Acct-Session-Id is one session's. A server has had its Start before anything
//                else. An epoch in which an answer to the Stop came sends nothing more of it. At
//                the end a peer of WireGuard has one account that is open, if it has a session;
//                and so has each client of IPsec that is there, for the IKE SA that it has.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/clients.hpp"
#include "sim/ike_clients.hpp"
#include "sim/machine.hpp"
#include "sim/pacemaker.hpp"

namespace vpnha::sim {

// What a run has shown, to see that a good end is not an empty one.
struct Tally {
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t claims = 0;
    std::uint64_t promotions = 0;
    std::uint64_t sessions = 0;
    std::uint64_t protected_sessions = 0;
    std::uint64_t kept = 0;      // Reported protected, resumed elsewhere.
    std::uint64_t lost = 0;      // Reported protected, and not resumed: no replica in reach had it.
    std::uint64_t silences = 0;  // Of gateways that could be served, for a glance at least.
    std::uint64_t resyncs = 0;
    std::uint64_t given_away = 0;
    std::uint64_t stand_ins = 0;           // Nodes that stood in,
    std::uint64_t stand_ins_notified = 0;  // and told the group.
    std::uint64_t flows_kept = 0;          // Hot before a takeover and there after it.
    std::uint64_t flows_equal = 0;  // At the end, in a standby's kernel as in the promoted one's.
    std::uint64_t expectations_kept = 0;
    std::uint64_t expectations_equal = 0;
    std::uint64_t numbers = 0;  // That were used; and grants, by what their margin says.
    std::uint64_t margins_exact = 0;
    std::uint64_t margins_bounded = 0;
    std::uint64_t margins_unknown = 0;
    std::uint64_t call_packets = 0;  // Of PPTP.
    std::uint64_t sas = 0;           // IKE SAs that clients have begun,
    std::uint64_t sas_kept = 0;      // and those, and CHILD SAs, that were kept in a takeover.
    std::uint64_t peers_tried = 0;   // Of WireGuard, handshakes that nodes began.
    std::uint64_t stops = 0;         // Accounts of which a server has taken the Stop,
    std::uint64_t stops_again = 0;   // and another one.
    // Grants after two epochs or more that were held, and of which this node's records have
    // nothing.
    std::uint64_t silent_twice = 0;

    Tally& operator+=(const Tally& other);
};

class Oracle {
  public:
    // `hears(to, from)`: the lease's datagrams get there.
    Oracle(const Agenda& agenda, Story& story, const Plan& plan, const Machines& machines,
           const Totem& totem, const Clients& clients, Callers& callers,
           const IkeClients& ike_clients, std::function<bool(NodeId, NodeId)> receives);

    void before_message(const Machine& machine, NodeId sender, ByteView bytes);
    void on_effects(const Machine& machine, const effects::Effects& effects, bool silenced);
    void on_effect(const Machine& machine, const effects::Effect& effect);
    // As Surroundings::on_settled().
    void on_settled(const Machine& machine, bool of_lease);
    // A demotion or stop was reported as done: at the end of the event it is.
    void on_silenced(const Machine& machine, GatewayId gateway);

    void on_numbers(const Machine& machine, const Numbers::Key& sa, std::uint64_t first,
                    std::uint64_t count);
    // Of PPTP: a packet passes the gate; the call is over at that node.
    void on_call_packet(const Machine& machine, const pptp::CallKey& key, const CallPacket& packet);
    void on_call_over(const Machine& machine, const pptp::CallKey& key, const CallOver& over);
    // Of IPsec, as Surroundings has it.
    void on_charon_active(const Machine& machine);
    void on_ike_end(const Machine& machine, const ipsec::IkeKey& key);
    void on_charon_broken(const Machine& machine, const std::string& what) const;
    void on_charon_death(NodeId node);
    // A packet of a client came under a new number, and its kernel dropped it.
    void on_esp_refused(const Machine& machine, std::uint32_t spi) const;
    // Of that node, which serves: old packets come again.
    void check_replays(const Machine& machine) const;
    // Of RADIUS: a request leaves the node, a server takes it, its answer comes to the node.
    void on_account(const Machine& machine, const node::SendAccounting& sent);
    void on_peer_tried(const Machine& machine, GatewayId gateway);
    void on_account_taken(const node::SendAccounting& sent);
    void on_account_answered(const Machine& machine, const node::SendAccounting& sent,
                             const Epoch& sent_in);
    void on_warm(const Machine& machine, GatewayId gateway, const keepers::Margin& margin);
    void on_number_set(const Machine& machine, const Numbers::Key& sa, std::uint64_t next);

    // Now and then: is every gateway served that could be?
    void check_silence();
    // Pacemaker is about to have that node give up the gateway.
    void on_order(const Machine& machine, GatewayId gateway);

    // Faults that excuse a loss.
    void on_death(NodeId node);
    void on_kernel_loss(const Machine& machine, const Kernel::Key& key);
    void on_flush(NodeId node);

    // All replicas against each other.
    void compare_all() const;
    // After the faults: nothing is left to be done.
    void check_settled(std::uint64_t messages_while_quiet);

    [[nodiscard]] Tally& tally() { return tally_; }

  private:
    struct Emitted {
        wire::RecordKey key;
        bool erased = false;
        SmallBytes payload;
    };
    struct Promise {
        NodeId holder;
        std::uint64_t process = 0;
        Bytes payload;
    };
    // Of a gateway, as it was at the last glance.
    struct Silence {
        bool ordered = false;  // By who demoted the node that served last.
        TimePoint seen{};
        // Since when each of them could have served, without the time in which another one was
        // ordered to.
        std::map<NodeId, TimePoint> could_serve;
    };
    struct Takeover {
        NodeId node;
        std::set<wire::RecordKey> expected;
        std::set<wire::RecordKey> elsewhere;  // Also of a replica that is as new.
        std::set<conntrack::FlowKey> flows;
        std::set<conntrack::FlowKey> expectations;
    };
    // A follower before a message that is older than what it knows.
    struct Untouched {
        GatewayId gateway;
        std::uint64_t digest = 0;
        std::uint64_t sequence = 0;
        Epoch epoch;
        wire::Level level{};
    };

    [[noreturn]] void fail(const std::string& invariant, NodeId node,
                           const std::string& what) const;
    void on_emitted(const Machine& machine, const Bytes& bytes);
    void on_claim(const Machine& machine, const wire::Claim& claim);
    void on_update(const Machine& machine, const wire::Update& update);
    void on_snapshot(const Machine& machine, const wire::Snapshot& snapshot);
    void on_confirm(const Machine& machine, const wire::Confirm& confirm) const;
    void check_confirmed(const Machine& machine, const wire::Confirm& confirm,
                         wire::RecordType type) const;
    void on_save(const Machine& machine, const effects::SaveLease& save);
    void on_lease(const Machine& machine, const effects::SendLease& sent) const;
    void on_step(const Machine& machine, const effects::RunStep& step);
    void note_state(const Machine& machine, GatewayId gateway, const Epoch& epoch,
                    std::uint64_t sequence, std::uint32_t count, std::uint64_t digest);
    void begin_takeover(const Machine& machine, GatewayId gateway);
    void check_stand_in(const Machine& machine, GatewayId gateway);
    void check_silenced(const Machine& machine);
    void follow_takeover(const Machine& machine, const node::GatewayNode& gateway);
    void end_takeover(const Machine& machine, const node::GatewayNode& gateway);
    void check_gateway(const Machine& machine, const node::GatewayNode& gateway, bool of_lease);
    void check_level(const Machine& machine, const node::GatewayNode& gateway) const;
    void check_gates(const Machine& machine, const node::GatewayNode& gateway) const;
    void check_promises(const Machine& machine, const node::GatewayNode& gateway);
    void check_promises_of(const Machine& machine, const node::GatewayNode& gateway,
                           wire::RecordType type);
    void check_untouched(const Machine& machine);
    void on_hello(const Machine& machine, const wire::Hello& hello) const;
    void check_links(const Machine& machine, const node::GatewayNode& gateway);
    void on_withdrawn(const Machine& machine, const effects::WithdrawScore& score);
    void check_unreceived(const Machine& machine, const node::GatewayNode& gateway);
    void check_peers(const Machine& machine, const node::GatewayNode& gateway);
    void check_peers_accounts(const Machine& holder, const node::GatewayNode& gateway) const;
    void check_ike_accounts(const Machine& holder, const node::GatewayNode& gateway) const;
    [[nodiscard]] bool is_answered_in_vain(const Machine& machine,
                                           const node::GatewayNode& gateway) const;
    [[nodiscard]] bool was_notified_of_better(const Machine& machine,
                                              const node::GatewayNode& gateway) const;
    [[nodiscard]] bool was_installed_elsewhere(const Machine& machine, const Kernel::Key& key,
                                               const Bytes& payload) const;
    // That node has the session as it was reported, as a complete replica that is as new as what
    // `machine` knows, or newer.
    [[nodiscard]] bool has_as_new(NodeId node, const Machine& machine,
                                  const Kernel::Key& key) const;
    [[nodiscard]] bool could_serve(const Machine& machine, GatewayId gateway) const;
    [[nodiscard]] bool could_continue(const Machine& machine, GatewayId gateway) const;
    // For the lease and for Corosync alike.
    [[nodiscard]] bool is_in_reach(const Machine& machine, const Machine& other) const;
    [[nodiscard]] bool is_elsewhere(const Machine& machine, const Kernel::Key& key) const;
    [[nodiscard]] bool others_miss(const Machine& machine, const Kernel::Key& key) const;
    void expect_flows(const Machine& machine, GatewayId gateway);
    void forget_ended_flows(const Machine& machine, GatewayId gateway);
    void check_flows_kept(const Machine& machine, GatewayId gateway);
    void check_holder_flows(const Machine& holder, const node::GatewayNode& gateway) const;
    std::uint64_t check_standby_flows(const Machine& holder, const Machine& standby,
                                      const node::GatewayNode& gateway) const;
    void expect_expectations(const Machine& machine, GatewayId gateway);
    void check_expectations_kept(const Machine& machine, GatewayId gateway);
    void check_holder_expectations(const Machine& holder, const node::GatewayNode& gateway) const;
    std::uint64_t check_standby_expectations(const Machine& holder, const Machine& standby,
                                             const node::GatewayNode& gateway) const;
    void check_sa_promises(const Machine& machine, const node::GatewayNode& gateway);
    void expect_sas(const Machine& machine, GatewayId gateway);
    // Its client lives, and has it.
    [[nodiscard]] bool is_wanted(const wire::RecordKey& sa) const;
    // charon has it, and the kernel.
    [[nodiscard]] static bool has_sa(const Machine& machine, const wire::RecordKey& sa);
    // They had it, since charon is there: of what a rebuild takes from a kernel vpnhad hears later.
    [[nodiscard]] static bool had_sa(const Machine& machine, const wire::RecordKey& sa);
    // Another machine's charon had it, ever.
    [[nodiscard]] bool was_elsewhere(const Machine& machine, const wire::RecordKey& sa) const;
    void check_sas_confirmed(const Machine& machine, const wire::Confirm& confirm) const;
    void check_sas_settled(const Machine& holder) const;
    void check_versions(const Machine& machine, GatewayId gateway) const;
    void compare(const Machine& a, const Machine& b, GatewayId gateway) const;
    void check_holder_settled(const Machine& holder, const node::GatewayNode& gateway) const;
    void check_standby_settled(const Machine& holder, const Machine& standby,
                               const node::GatewayNode& gateway) const;

    const Agenda& agenda_;
    Story& story_;
    const Plan& plan_;
    const Machines& machines_;
    const Totem& totem_;
    const Clients& clients_;
    Callers& callers_;
    const IkeClients& ike_clients_;
    std::function<bool(NodeId, NodeId)> receives_;
    std::vector<wire::Codec> codecs_;
    wire::Dialects dialects_;

    std::map<std::pair<GatewayId, Epoch>, std::vector<Emitted>> emitted_;
    std::map<std::pair<GatewayId, wire::Version>, Emitted> unsent_;
    std::map<std::tuple<GatewayId, Epoch, std::uint64_t>, std::pair<std::uint32_t, std::uint64_t>>
        states_;
    std::map<std::pair<NodeId, GatewayId>, Epoch> last_claims_;
    std::map<Kernel::Key, Promise> promises_;
    std::set<std::pair<NodeId, Kernel::Key>> lost_in_kernel_;  // By whose kernel, ever.
    std::map<GatewayId, Takeover> takeovers_;
    // Of IPsec: by whom each was reported as protected; what the next holder's charon must have.
    std::map<wire::RecordKey, NodeId> sa_promises_;
    std::pair<NodeId, std::set<wire::RecordKey>> sas_expected_;
    std::set<std::pair<GatewayId, NodeId>> standing_in_;  // They have not claimed yet.
    std::set<std::pair<GatewayId, NodeId>> silenced_;     // By the event under way.
    std::vector<Untouched> untouched_;
    // What a node's members have told it last.
    std::map<NodeId, std::map<NodeId, wire::Hello>> notified_;
    // How often it has given each gateway away.
    std::map<std::tuple<NodeId, std::uint64_t, GatewayId>, std::uint64_t> given_away_;
    // Whose claims have been answered in vain, and since when; of which epochs Pacemaker was told.
    std::map<GatewayId, std::pair<NodeId, TimePoint>> in_vain_since_;
    std::set<std::pair<GatewayId, Epoch>> notified_of_;
    // By the first one: up to where without a gap.
    std::map<Numbers::Key, std::map<std::uint64_t, std::uint64_t>> used_;
    std::map<Numbers::Key, std::uint64_t>
        begun_;                        // Where a holder of inexact numbers was to begin.
    std::map<GatewayId, bool> exact_;  // The last grant's margin was.
    std::map<GatewayId, std::set<Epoch>> granted_;
    // As the servers have it, by Acct-Session-Id.
    struct Account {
        std::optional<std::pair<std::string, IpAddress>> whose;  // User and address outside.
        bool is_started = false;
        bool is_stopped = false;
        std::optional<Epoch> closed_in;  // The holder had the answer.
    };
    std::map<std::string, Account> accounts_;
    // A grant to a node without records; and what was granted to anybody until then.
    struct BeganEmpty {
        Epoch epoch;
        std::set<Epoch> before;
    };
    std::map<std::pair<GatewayId, NodeId>, BeganEmpty> began_empty_;
    // Who serves, with nothing in its way, and since when.
    std::map<std::pair<NodeId, GatewayId>, TimePoint> peers_since_;
    std::map<GatewayId, Silence> silences_;
    std::map<GatewayId, TimePoint> ordered_at_;
    Tally tally_;
};

}  // namespace vpnha::sim
