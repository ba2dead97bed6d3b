// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated truth of one gateway, seen from one node. Pure: messages and results in, effects
// out; see wire/message.hpp for who may say what.
//
// The promoted node is the only writer of an epoch. It numbers its changes 1, 2, 3 … and every
// follower applies them in CPG's agreed order, hands changed records to its kernel and confirms the
// highest number up to which the kernel took everything. A record is protected when a standby's
// confirmation covers it: own CPG delivery proves nothing.
//
//   level \ event | claim of a      | update in      | gap, missed | snapshot end  | snapshot end
//                 | newer epoch     | sequence       | claim       | that matches  | that differs
//   --------------+-----------------+----------------+-------------+---------------+-------------
//   empty         | empty, request  | partial        | partial     | complete      | partial, ask
//   partial       | partial, request| partial        | partial     | complete      | partial, ask
//   complete      | complete (1)    | complete       | partial, ask| complete      | partial, ask
//
//   (1) The claimant says all its records again under the new epoch and ends with a snapshot end,
//   so
//       that a complete follower becomes equal to it without asking; what it did not repeat is
//       swept.
//
// Invariants: a follower that is not complete confirms nothing; a promoted replica is complete by
// definition and applies nobody else's changes; epochs never go back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "replica/store.hpp"
#include "wire/message.hpp"

namespace vpnha::replica {

struct Send {
    wire::Message message;
};
// Put the record into this node's kernel; answer with on_installed().
struct Install {
    wire::RecordKey key;
    Bytes payload;
};
struct Remove {
    wire::RecordKey key;
};
// Another node claimed a newer epoch while this one was promoted: stop speaking for the gateway.
struct Superseded {
    Epoch epoch;
};
using Effect = std::variant<Send, Install, Remove, Superseded>;
using Effects = std::vector<Effect>;

struct Counters {
    std::uint64_t stale_epoch = 0;      // Messages of an epoch older than known; dropped.
    std::uint64_t gaps = 0;             // Updates that did not follow the last one.
    std::uint64_t digest_mismatch = 0;  // Snapshot ends that did not match.
    std::uint64_t snapshots_sent = 0;
    std::uint64_t over_limit = 0;  // Records refused by limits::kRecordsPerGatewayMax.
};

class Replica {
  public:
    Replica(GatewayId gateway, NodeId self) : gateway_(gateway), self_(self) {}

    // This node is promoted: claim `epoch`, say every record again under it.
    [[nodiscard]] Effects begin_epoch(const Epoch& epoch);
    // Demoted: a follower again, complete until somebody says otherwise.
    void end_epoch();
    // Promoted only. The record is live on this node already; nothing is installed for it.
    void publish(const wire::RecordKey& key, Bytes payload);
    void erase(const wire::RecordKey& key);

    // `present`: the members of the group, this node among them.
    void on_members(const std::set<NodeId>& present, TimePoint now);
    [[nodiscard]] Effects on_message(NodeId sender, const wire::Message& message, TimePoint now);
    // The kernel took the record, or refused it.
    void on_installed(const wire::RecordKey& key, bool accepted);
    // Installs whatever is held and not in this node's kernel: after a demotion ended the stock
    // daemons' sessions.
    [[nodiscard]] Effects install_missing();

    // What is due to be said: batches of the dirty set, one chunk of a snapshot, confirmations,
    // repeated requests. Call after every event and at next_deadline().
    [[nodiscard]] Effects flush(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return ask_again_at_; }
    // True while a snapshot is under way: flush() again once the group took the last message.
    [[nodiscard]] bool has_more() const { return promoted_or_source() && cursor_.has_value(); }

    [[nodiscard]] const Store& store() const { return store_; }
    [[nodiscard]] wire::Level level() const { return level_; }
    [[nodiscard]] Epoch epoch() const { return epoch_; }
    [[nodiscard]] bool promoted() const { return promoted_; }
    // The member that is promoted, as far as known.
    [[nodiscard]] std::optional<NodeId> holder() const { return holder_; }
    // On the promoted node: a standby's kernel has it.
    [[nodiscard]] bool is_protected(const wire::RecordKey& key) const;
    // On a standby: in this node's kernel.
    [[nodiscard]] bool is_installed(const wire::RecordKey& key) const;
    [[nodiscard]] bool is_refused(const wire::RecordKey& key) const;
    // Members whose replica is complete, without this node.
    [[nodiscard]] std::vector<NodeId> complete_standbys() const;
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    enum class Kernel : std::uint8_t { installing, installed, refused };
    struct Confirmed {
        std::uint64_t sequence = 0;
        std::set<std::uint64_t> refused;
    };

    Effects on_hello(NodeId sender, const wire::Hello& hello);
    Effects on_claim(NodeId sender, const Epoch& epoch, TimePoint now);
    Effects on_update(NodeId sender, const wire::Update& update, TimePoint now);
    Effects on_snapshot(const wire::Snapshot& snapshot, TimePoint now);
    Effects on_snapshot_end(const wire::SnapshotEnd& end, TimePoint now);
    void on_snapshot_request(NodeId sender);
    void on_confirm(NodeId sender, const wire::Confirm& confirm);

    // Refuses and counts an old epoch; adopts a newer one that was never claimed in our hearing.
    bool accept_epoch(const Epoch& epoch, TimePoint now);
    void adopt_epoch(const Epoch& epoch);
    void distrust(TimePoint now);
    void apply(const wire::RecordKey& key, const wire::Version& version, const Bytes& payload,
               Effects& effects);
    void forget(const wire::RecordKey& key, Effects& effects);
    [[nodiscard]] bool promoted_or_source() const;
    void flush_dirty(Effects& effects);
    void flush_snapshot(Effects& effects);
    void flush_confirm(Effects& effects);
    [[nodiscard]] wire::Confirm current_confirm() const;

    GatewayId gateway_;
    NodeId self_;
    Store store_;
    wire::Level level_ = wire::Level::empty;
    Epoch epoch_;
    bool promoted_ = false;
    std::optional<NodeId> holder_;
    std::set<NodeId> members_;
    std::map<NodeId, wire::GatewayState> peers_;  // As their hellos said.
    std::uint64_t sequence_ = 0;                  // Last one sent, or applied.
    Counters counters_;

    // Promoted.
    std::set<wire::RecordKey> dirty_;
    std::map<NodeId, Confirmed> confirmed_;
    // Promoted or source: where a snapshot stands; the next record is the first one above it.
    struct Cursor {
        std::optional<wire::RecordKey> after;
    };
    std::optional<Cursor> cursor_;
    bool end_due_ = false;

    // Follower.
    std::map<wire::RecordKey, Kernel> kernel_;
    std::set<wire::RecordKey> unseen_;  // Held, and not yet repeated since the last distrust.
    std::optional<wire::Confirm> last_confirm_;
    std::optional<TimePoint> ask_again_at_;
    bool ask_now_ = false;
};

}  // namespace vpnha::replica
