// SPDX-License-Identifier: GPL-2.0-or-later
// The WireGuard peers of one gateway on one node. Pure.
//
// The kernel exports no session keys, so no other node can continue a session. But a node with the
// gateway's private key makes a new one in one round trip, and the client's user notices nothing
// else. So the node that serves shakes hands with each peer as soon as its gate is open.
//
//   a standby    its device has the peers, their endpoints, and keepalive 0
//   gets         the addresses: its device's packets leave from there, before the gate opens
//   opens        its gate, also to stand in: sets keepalives from 0 to more, for those with recent
//                traffic first: the kernel sends an initiation at once. A peer that answers, or
//                does not in time, gets the keepalive that is configured
//   serves       reads its device twice a second. Roaming becomes a record, and so do counters
//   falls silent sets keepalives to 0; as a standby it adds its peers anew
//
// The kernel tries a peer once in 5 s, whether the initiation left the node or not. A standby's is
// lost at the shut gate, and after a promotion its peer would wait for the rest of the 5 s. A peer
// that was tried in spite of that is added anew: then the kernel forgets the time.
//
// The peers file of the promoted node defines the peers. Its endpoints apply to peers that have not
// sent anything yet.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocols/keeper.hpp"
#include "protocols/wireguard/keeper/peer_ledger.hpp"
#include "protocols/wireguard/keeper/wake_queue.hpp"
#include "protocols/wireguard/work.hpp"

namespace vpnha::keepers {

class WireguardPeers final : public Keeper {
  public:
    // `gateway` must outlive it.
    explicit WireguardPeers(Gateway& gateway) : gateway_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint now, Effects& effects) override;

    void on_addresses(Effects& effects) override;
    void on_open(TimePoint now, Effects& effects) override;
    void promote(TimePoint now, Effects& effects) override;
    // A packet for a peer makes the kernel try it, and the kernel keeps the packet for the answer.
    [[nodiscard]] bool takes_packets() const override { return uses_vip_; }
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override { promote(now, effects); }
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    [[nodiscard]] bool lives(const wire::RecordKey& session, TimePoint now) const override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] std::vector<SessionView> sessions(const ListPart& part) const override;
    [[nodiscard]] SessionTotals session_totals() const override;
    [[nodiscard]] Counts counts() const override;
    [[nodiscard]] Status status(TimePoint now) const override;

  private:
    using Key = wireguard::PublicKey;
    static constexpr std::array kTypes{wire::RecordType::wireguard_peer,
                                       wire::RecordType::wireguard_traffic};
    // REJECT_AFTER_TIME of the protocol: no keys are older.
    static constexpr std::uint64_t kSessionMs = 180'000;

    struct Tally {
        std::uint64_t answered = 0;
        std::uint64_t unanswered = 0;
        std::uint64_t roamed = 0;
        std::uint64_t tried_as_standby = 0;
    };

    void handle(const node::DeviceRaised& raised, TimePoint now, Effects& effects);
    void handle(const node::VipUsed&, TimePoint, Effects&) { uses_vip_ = true; }
    void handle(const node::PeerSet& set, TimePoint now, Effects& effects);
    void handle(const node::PeersRead& read, TimePoint now, Effects& effects);
    void handle(const node::DeviceGone& gone, TimePoint now, Effects& effects);
    void handle(const node::PeersLoaded& loaded, TimePoint now, Effects& effects);
    void handle(const node::PeersUnreadable& unreadable, TimePoint now, Effects& effects);

    void log(LogLevel level, const std::string& text, Effects& effects) const;
    // Another node serves.
    [[nodiscard]] bool is_standby() const { return !serves_ && !gateway_.is_served(); }
    // As the store has it now.
    [[nodiscard]] std::optional<wireguard::Peer> peer_of(const Key& key) const;
    [[nodiscard]] std::vector<Key> all_peers() const;
    void read_peers(TimePoint now, Effects& effects);
    // Notes the peer's endpoint and traffic. True: its answer was awaited.
    [[nodiscard]] bool has_answered(const wireguard::PeerState& state, TimePoint now);
    // True: the kernel tried it, though another node serves.
    [[nodiscard]] bool was_tried(const wireguard::PeerState& state, TimePoint now);
    // As many as may be open at once.
    void wake_some(TimePoint now, Effects& effects);
    // Adds peers without an answer anew. The kernel may have tried one for a packet shortly before
    // the gate opened. It would not try that peer again for 5 s (REKEY_TIMEOUT,
    // drivers/net/wireguard/messages.h).
    void try_again(TimePoint now, Effects& effects);
    void set_keepalives(std::vector<node::Keepalive> keepalives, Effects& effects);
    // Sets the configured keepalive: these peers are not awaited any more.
    void let_rest(const std::vector<Key>& keys, Effects& effects);
    // The peers in this node's kernel are to be added anew.
    void distrust_kernel();
    // The peer is to be added anew: a reading that is under way is older, and would count it twice.
    void restart(const Key& key);
    void publish_moves();
    // Publishes some traffic where this node is promoted, and reports the usage of each session.
    void publish_traffic(TimePoint now, Effects& effects);
    // By the file of peers.
    void adopt(const wireguard::Peer& listed, Effects& effects);
    void drop_unlisted(TimePoint now, Effects& effects);
    [[nodiscard]] SessionView view_of(const wire::RecordKey& record,
                                      const replica::StoredRecord& stored) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    Refusals refusals_;
    PeerLedger ledger_;
    WakeQueue queue_;
    std::set<Key> tried_again_;  // Added anew, and not set yet.
    std::set<Key> lively_;       // With a keepalive in this kernel.
    bool serves_ = false;        // Its gate is open.
    bool uses_vip_ = false;      // Since the last on_addresses().
    // The device is to be raised then; nullopt: it has been.
    std::optional<TimePoint> raise_at_ = TimePoint{};
    std::uint64_t last_ticket_ = 0;
    std::optional<std::uint64_t> reading_;      // The ticket of a pending reading,
    TimePoint read_until_{};                    // which may take until then.
    TimePoint read_at_{};                       // The next reading.
    std::map<Key, wireguard::Endpoint> moved_;  // Not published yet.
    std::optional<TimePoint> publish_at_;       // Traffic.
    Epoch loaded_in_;                           // When the file of peers was requested.
    std::set<Key> listed_;                      // In the file, as far as it was read.
    Tally tally_;
};

}  // namespace vpnha::keepers
