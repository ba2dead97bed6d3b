// SPDX-License-Identifier: GPL-2.0-or-later
// State from charon's messages: the SAs that live, and those that are needed to make them anew. The
// node that serves writes it. Its records give the state to the other nodes, and the next node
// continues from them.
//
//   message         | an SA that is being set up    | an established one
//   ----------------+-------------------------------+----------------------------------------------
//   IKE_ADD         | (begins one)                  | ignored: charon repeats it after a resync
//   IKE_UPDATE      | kept; with the connection it  | kept. IKEv1: it adopts an older SA's children
//                   | is established. IKEv2: it has |
//                   | the children of the SA that   |
//                   | it replaces                   |
//   MID, IKE_IV     | the last one is kept          | the last one is kept
//   CHILD_ADD       | waits for its establishment   | a child
//   CHILD_DELETE    | –                             | the child ends. After the last one the SA is
//                   |                               | childless until the next one
//   IKE_DELETE      | forgotten                     | its children end, and it is dead. IKEv2: not
//                   |                               | until the fate of the SA that is about to
//                   |                               | replace it is known
//
// An SA that is being set up is no record: a passive charon could not continue it, and would keep
// it for ever. Its peer starts again. A dead SA is erased when no child lives that it made or that
// reached its owner through it. A message about an unknown SA is dropped and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "protocols/ipsec/model/peer_path.hpp"

namespace vpnha::ipsec {

// The SAs that changed or ended; the set shows which of the two.
struct SaChanges {
    std::set<IkeKey> ikes;
    std::set<std::uint32_t> children;
};

struct SaStoreCounters {
    std::uint64_t unknown = 0;   // About an SA that nobody has.
    std::uint64_t repeated = 0;  // An IKE_ADD of an SA that is there.
    std::uint64_t given_up = 0;  // SAs in the making, dropped at a limit.
    std::uint64_t ike_rekeys = 0;
    std::uint64_t moves = 0;         // Of peers, to another address or port.
    std::uint64_t child_rekeys = 0;  // CHILD SAs whose IKE SA has one of the same name.
};

class SaStore {
  public:
    // The gateway's port of L2TP; nullopt: it has none.
    explicit SaStore(std::optional<std::uint16_t> tunnel_port) : tunnel_port_(tunnel_port) {}

    // From a record.
    void put(IkeSa sa);
    void put(ChildSa child);
    void erase(const IkeKey& key) { sas_.erase(key); }
    void erase_child(std::uint32_t spi) { sas_.erase_child(spi); }

    // A message from charon of the node that serves. Malformed: it is useless, and ignored.
    [[nodiscard]] Result<SaChanges> apply(ByteView message, std::uint64_t unix_ms = 0);
    // A deleted SA has no heir if no other one was established at once.
    [[nodiscard]] bool is_unsettled() const { return !dying_.empty(); }
    [[nodiscard]] SaChanges settle();
    // charon expects an answered request again: the SAs that it made end.
    [[nodiscard]] SaChanges take_back(const IkeKey& key, const std::set<std::uint32_t>& children);
    // The client did not repeat it: the next one is expected, as before.
    [[nodiscard]] SaChanges skip(const IkeKey& key);
    // The kernel shows the peer there: all IKE SAs of that family and their children move.
    [[nodiscard]] SaChanges follow(const PeerPath& path);
    // This node begins to serve. A charon that was fed does not have a replaced SA, and will never
    // report its end: such SAs are dead.
    [[nodiscard]] SaChanges end_replaced();
    // At the same time. charon reports a client's virtual addresses after its CHILD SA, and the old
    // node may have died in between. They are taken from the CHILD SA's selectors, within `pools`.
    [[nodiscard]] SaChanges complete_addresses(std::span<const IpPrefix> pools);
    // This node serves no more: SAs that were not established are dropped.
    void forget_half_open();

    [[nodiscard]] const SaSet& sas() const { return sas_; }
    [[nodiscard]] std::size_t half_open() const { return half_open_.size(); }
    [[nodiscard]] const SaStoreCounters& counters() const { return counters_; }

  private:
    struct HalfOpen {
        IkeSa sa;
        std::optional<IkeKey> replaces;
        std::vector<ChildSa> children;
    };

    void begin(const IkeId& id, const HaMessage& message, ByteView add);
    void add_exchange(IkeSa& sa, const HaMessage& message, ByteView add);
    void update(const IkeId& id, const HaMessage& message, ByteView octets, SaChanges& changes);
    void establish(HalfOpen half_open, SaChanges& changes);
    void end(const IkeKey& key, SaChanges& changes);
    // Of an SA that is being set up, or of one that lives.
    void change_ike(const IkeKey& key, SaChanges& changes,
                    const std::function<void(IkeSa&)>& change);
    void set_mid(const IkeKey& key, bool initiator, std::uint32_t mid, SaChanges& changes);
    void set_iv(const IkeKey& key, ByteView iv, SaChanges& changes);
    void begin_child(const IkeKey& key, const HaMessage& message, ByteView octets,
                     SaChanges& changes);
    void end_child(std::uint32_t spi, SaChanges& changes);
    // The same for a child that charon reported as deleted, while its owner stays.
    void delete_child(std::uint32_t spi, SaChanges& changes);
    void set_childless(const IkeKey& key, bool childless, SaChanges& changes);
    // For L2TP: the port of the other children of its IKE SA, or one that is free.
    void give_port(ChildSa& child) const;

    // The children that `from` owns pass to `to`.
    void hand_over(const IkeKey& from, const IkeKey& to, SaChanges& changes);
    // charon's job adopt_children, for a new SA of IKEv1.
    void adopt(const IkeKey& key, SaChanges& changes);
    void die(const IkeKey& key, SaChanges& changes);
    [[nodiscard]] bool is_being_replaced(const IkeKey& key) const;
    // A child lives that it made, or that reached its owner through it.
    [[nodiscard]] bool is_needed(const IkeKey& key) const;
    // Erases what is not needed, from that SA on along its heirs.
    void collect(const IkeKey& key, SaChanges& changes);
    [[nodiscard]] std::uint64_t next_order() { return ++last_order_; }

    std::optional<std::uint16_t> tunnel_port_;
    SaSet sas_;
    std::map<IkeKey, HalfOpen> half_open_;
    std::set<IkeKey> dying_;  // Deleted, while another one was about to replace them.
    std::uint64_t last_order_ = 0;
    std::uint64_t unix_ms_ = 0;  // When charon sent the message that is applied.
    SaStoreCounters counters_;
};

}  // namespace vpnha::ipsec
