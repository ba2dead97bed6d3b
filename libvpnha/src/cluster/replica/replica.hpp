// SPDX-License-Identifier: GPL-2.0-or-later
// The records of one gateway on one node. Pure: messages and results in, effects out; see
// cluster/wire/message.hpp for who may send what.
//
// The promoted node is the only writer of an epoch. It numbers its changes 1, 2, 3 … and every
// follower applies them in CPG's agreed order and passes changed records to its kernel. It confirms
// the highest number up to which the kernel accepted everything. With quorum, a record is protected
// when a standby's confirmation covers it: own CPG delivery proves nothing.
//
//   level \ event | claim, equal | claim or digest | gap, malformed, | end of the pass
//                 | digest       | that differs    | missed claim,   | equal    | differs
//                 |              |                 | over limit      |          |
//   --------------+--------------+-----------------+-----------------+----------+-------------
//   empty         | complete (1) | ask             | ask             | complete | partial, ask
//   partial       | complete (1) | ask             | ask             | complete | ask later
//   complete      | complete     | partial, ask    | partial, ask    | XXX (2)  | partial, ask
//
//   A hello names a level and its epoch. A node that is complete in an older epoch than another
//   complete member has missed a claim, also when the newer holder is gone.
//
//   (1) only with the claimant's count and digest, so nothing is missing. (2) it asked for none:
//   the end of a pass for others is compared like a digest.
//
// A replica that may have missed changes requests a pass from the source: a snapshot of all
// records, or of those newer than the point up to which the replica was right. The source sends it
// in chunks between its urgent updates; several askers share one pass. Records that a full pass did
// not repeat are swept. A pass that ends in a difference is requested again after a pause that
// doubles up to limits::kAskAgainMax.
//
// The holder of the newest epoch is right. Records of older epochs are replaced by its records,
// also those that the promoted node of a lost partition has written.
//
// A message with an epoch that is limits::kEpochJumpMax above all known ones is dropped and
// counted: otherwise one such message would have all others refused for good.
//
// Invariants: a follower that is not complete confirms nothing; a promoted replica is complete by
// definition and applies nobody else's changes; epochs never go back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "cluster/replica/effects.hpp"
#include "cluster/replica/install_retry.hpp"
#include "cluster/replica/kernel_state.hpp"
#include "cluster/replica/on_their_way.hpp"
#include "cluster/replica/peers.hpp"
#include "cluster/replica/store.hpp"
#include "cluster/replica/unsent.hpp"
#include "cluster/wire/message.hpp"

namespace vpnha::replica {

// The result of an installation.
enum class Outcome : std::uint8_t { installed, refused, unreadable };

// How much of a gateway a node would keep if it were promoted now. Flows are not counted.
struct Coverage {
    bool known = false;      // It has reported so in this epoch.
    std::uint64_t held = 0;  // Records that it would continue with.
    std::uint64_t missing = 0;
};

class Replica {
  public:
    Replica(GatewayId gateway, NodeId self);

    // This node is promoted: claims `epoch`, which is above highest_epoch().
    [[nodiscard]] Effects begin_epoch(const Epoch& epoch, TimePoint now);
    // Demoted: a follower again, complete until a message contradicts.
    void end_epoch(TimePoint now);
    // Promoted only. The record is live on this node already; nothing is installed for it. False
    // when the replica is full: the session is not replicated.
    bool publish(const wire::RecordKey& key, ByteView payload);
    // The same for a change that this node's kernel does not hold: its copy of the record stays
    // valid. No effect without such a record.
    void amend(const wire::RecordKey& key, ByteView payload);
    void erase(const wire::RecordKey& key, TimePoint now);

    // `present`: the members of the group, this node among them; `quorate`: they are a majority.
    void on_members(const std::set<NodeId>& present, bool quorate, TimePoint now);
    [[nodiscard]] Effects on_message(NodeId sender, const wire::Message& message, TimePoint now);
    // A message of that member could not be read, so its content is missing here.
    [[nodiscard]] Effects on_malformed(NodeId sender, TimePoint now);
    // A result is ignored unless it belongs to the last requested installation.
    void on_installed(const wire::RecordKey& key, std::uint64_t ticket, Outcome outcome,
                      TimePoint now);
    // The kernel has lost it.
    void on_gone(const wire::RecordKey& key);
    // This node removes it from its kernel itself. A pending answer does not count any more.
    void on_removed(const wire::RecordKey& key);
    // Installs the held sessions and counters that are not in this node's kernel: after a demotion
    // ended the stock daemons' sessions, or after on_gone(). Flows have install_some().
    [[nodiscard]] Effects install_missing();
    // Checks `count` records of that type after `after`: installs those that are not in this node's
    // kernel; calls `held` for the others. Returns the last one that was checked; nullopt: there is
    // none.
    std::optional<wire::RecordKey> install_some(
        wire::RecordType type, const wire::RecordKey& after, std::size_t count,
        const std::function<void(const wire::RecordKey&)>& held, Effects& effects);
    // Published counters are sent at the next flush(): another node waits for them.
    void hurry_counters() { unsent_.hurry_counters(); }
    // While it is true no record leaves this node: changes wait in the dirty set, and a pass waits
    // for its next chunk. Messages without records are sent.
    void withhold_records(bool withheld) { on_their_way_.withhold_records(withheld); }
    // The gateway was stopped here: all is as after the constructor, except the highest epoch, and
    // whether records are withheld.
    void start_over();
    // The operator requests a check of this replica against its source.
    [[nodiscard]] Effects resync(TimePoint now);

    // Sends what is due: changes first, then a pass's chunks, confirmations, digests, requests.
    // Only so many messages of each kind are under way at once. A node receives its own messages,
    // and changes in between are coalesced: under load the batches grow by themselves. Call after
    // every event and at next_deadline().
    [[nodiscard]] Effects flush(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] const Store& store() const { return store_; }
    [[nodiscard]] wire::Level level() const { return level_; }
    [[nodiscard]] Epoch epoch() const { return epoch_; }
    // Of all known nodes, including this one.
    [[nodiscard]] Epoch highest_epoch() const { return highest_; }
    // This side of the cluster has the majority.
    [[nodiscard]] bool quorate() const { return peers_.quorate(); }
    // Why a snapshot is requested; nullopt: none is.
    [[nodiscard]] std::optional<wire::ResyncReason> resync_reason() const {
        return asking_ ? std::optional(asking_->reason) : std::nullopt;
    }
    // The last change sent, or applied.
    [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
    [[nodiscard]] bool promoted() const { return claimed_with_.has_value(); }
    // Promoted: it was not complete when it claimed the epoch, so a node that comes later may have
    // had more.
    [[nodiscard]] bool claimed_partial() const {
        return claimed_with_.value_or(wire::Level::complete) != wire::Level::complete;
    }
    // The sessions that the end of this pass removes here, though this replica was complete and the
    // promoted node's was not when it claimed its epoch. Some of them may have ended meanwhile.
    [[nodiscard]] std::vector<wire::RecordKey> lost_by(NodeId sender,
                                                       const wire::SnapshotEnd& end) const;
    // The change up to which this replica is complete; if it is not complete, only the epoch is
    // set.
    [[nodiscard]] wire::Version position() const {
        return {epoch_, level_ == wire::Level::complete ? sequence_ : 0};
    }
    // All members have sent hello since they came, or had the time to.
    [[nodiscard]] bool has_met_all() const { return peers_.has_met_all(); }
    // Not complete, and some members have not sent their state since they came.
    [[nodiscard]] bool may_be_less() const {
        return level_ != wire::Level::complete && !peers_.strangers().empty();
    }
    void end_meeting(TimePoint now) { peers_.end_meeting(now); }
    // When end_meeting() makes it so; nullopt: it is.
    [[nodiscard]] std::optional<TimePoint> meeting_until() const { return peers_.meeting_until(); }
    // A member whose replica is complete, while this one's is not: this node would claim with fewer
    // records.
    [[nodiscard]] std::optional<NodeId> better() const;
    // Promoted: all published counters have been sent.
    [[nodiscard]] bool has_emitted_counters() const { return !unsent_.has_counters(); }
    // Promoted: the last change of this epoch that the group has delivered to this node.
    [[nodiscard]] std::uint64_t delivered() const { return on_their_way_.delivered(); }
    // Promoted: the last change that every complete standby has confirmed; nullopt: there is none,
    // or one of them has confirmed nothing yet.
    [[nodiscard]] std::optional<std::uint64_t> confirmed_by_standbys() const;
    // Promoted: the age of the oldest sent change that a complete standby has not confirmed; 0:
    // there is none. nullopt: there is no such standby.
    [[nodiscard]] std::optional<Duration> lag(TimePoint now) const;
    // This replica has all changes of `epoch` up to `sequence`, and their later versions.
    [[nodiscard]] bool holds(const Epoch& epoch, std::uint64_t sequence) const;
    // The member that is promoted, as far as known.
    [[nodiscard]] std::optional<NodeId> holder() const { return holder_; }
    // On the promoted node: a standby's kernel has it, and this side has the majority.
    [[nodiscard]] bool is_protected(const wire::RecordKey& key) const;
    // On a standby: in this node's kernel.
    [[nodiscard]] Hold hold(const wire::RecordKey& key) const;
    // Records that this node cannot apply: refused, unreadable, over the limit. Without flows: a
    // full table of them makes no session worth less.
    [[nodiscard]] std::size_t quarantined() const {
        return kernel_.missing().size() + received_.over_limit;
    }
    [[nodiscard]] std::size_t installing() const { return kernel_.installing().size(); }
    // Sessions among them.
    [[nodiscard]] std::size_t installing_sessions() const {
        return kernel_.installing_sessions().size();
    }
    // An upper bound: it includes records that have come and gone, until their turn.
    [[nodiscard]] std::size_t dirty() const { return unsent_.size(); }
    // Members whose replica is complete, without this node.
    [[nodiscard]] std::vector<NodeId> complete_standbys() const;
    [[nodiscard]] Coverage coverage(NodeId node) const;
    // From their hellos.
    [[nodiscard]] const std::map<NodeId, wire::GatewayState>& peers() const {
        return peers_.states();
    }
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    // Changes being gathered into one message.
    struct Batch {
        wire::Update update;
        std::size_t size = 0;
    };
    // Promoted or source: the position of a pass; the next record is the first one above `after`.
    struct Pass {
        wire::Version since;
        bool begun = false;
        bool records_done = false;
        std::optional<wire::RecordKey> after;
        std::set<NodeId> askers;
    };
    // Follower: the pass that it receives, or has received last.
    struct ReceivedPass {
        std::uint32_t number = 0;
        std::size_t over_limit = 0;  // Records refused since it began.
    };
    // Follower that resyncs.
    struct Asking {
        wire::ResyncReason reason = wire::ResyncReason::joined;
        bool was_complete = false;  // In the epoch before.
        wire::Version since;        // The held records are right up to there.
        bool now = true;            // To be sent at the next flush.
        TimePoint again_at{};
        Duration pause = limits::kAskAgainFirst;
        // The pass that is followed, from its first chunk on.
        std::optional<NodeId> source;
        wire::Version pass_since;
    };

    // Nobody can have reached that epoch.
    [[nodiscard]] bool is_plausible(const Epoch& epoch) const {
        return epoch.number <= highest_.number + limits::kEpochJumpMax;
    }
    Effects on_implausible(NodeId sender, const Epoch& epoch);
    Effects on_hello(NodeId sender, const wire::Hello& hello, TimePoint now);
    Effects on_claim(NodeId sender, const wire::Claim& claim, TimePoint now);
    Effects on_update(NodeId sender, const wire::Update& update, TimePoint now);
    Effects on_digest(NodeId sender, const wire::Digest& digest, TimePoint now);
    Effects on_snapshot(NodeId sender, const wire::Snapshot& snapshot, TimePoint now);
    Effects on_snapshot_end(NodeId sender, const wire::SnapshotEnd& end, TimePoint now);
    void on_snapshot_request(NodeId sender, const wire::SnapshotRequest& request);
    Effects on_confirm(NodeId sender, const wire::Confirm& confirm, TimePoint now);
    // It ends the pass that is followed.
    [[nodiscard]] bool ends_pass(NodeId sender, const wire::SnapshotEnd& end) const {
        return asking_ && asking_->source == sender && asking_->pass_since == end.since;
    }

    // The epoch under which a snapshot's record is put into the store.
    [[nodiscard]] Epoch authority_over(const wire::RecordKey& key,
                                       const wire::Snapshot& snapshot) const;
    // Refuses and counts an old epoch; adopts a newer one whose claim was missed.
    bool accept_epoch(const Epoch& epoch, Effects& effects, TimePoint now);
    void adopt_epoch(const Epoch& epoch);
    // This replica's records are of an older epoch, and differ from the promoted node's.
    void give_way(wire::ResyncReason reason, Effects& effects, TimePoint now);
    void distrust(wire::ResyncReason reason, Effects& effects, TimePoint now);
    void complete(std::uint64_t sequence, Effects& effects);
    void compare(std::uint64_t sequence, std::uint32_t count, std::uint64_t digest,
                 Effects& effects, TimePoint now);
    void apply(const wire::RecordKey& key, const wire::Version& version, const Epoch& authority,
               ByteView payload, Effects& effects, TimePoint now);
    void forget(const wire::RecordKey& key, const wire::Version& version, Effects& effects,
                TimePoint now);
    void request_install(const wire::RecordKey& key, StoredRecord& record, Effects& effects);
    // All changes of a record's version or hold go through these: they keep kernel_.
    void note(const wire::RecordKey& key, const StoredRecord& record) {
        kernel_.note(key, record, promoted());
    }
    void set_hold(const wire::RecordKey& key, StoredRecord& record, Hold hold);
    // By this node, which is promoted: to be sent to the others.
    Store::Written write(const wire::RecordKey& key, ByteView payload);
    void queue(const wire::RecordKey& key);
    [[nodiscard]] bool is_dirty(const wire::RecordKey& key) const;
    [[nodiscard]] bool is_source() const;
    // No node is promoted, and a complete member has
    // a newer epoch, of which this node has nothing.
    [[nodiscard]] bool is_behind() const;
    [[nodiscard]] bool equals_mine(std::uint32_t count, std::uint64_t digest) const;

    void emit_from(Unsent::Keys& dirty, Effects& effects);
    void flush_pass(Effects& effects);
    // False when the pass is complete.
    bool send_chunk(Pass& pass, Effects& effects);
    void end_pass(const Pass& pass, Effects& effects);
    // Sends these dirty records and erasures at once.
    void emit(const std::vector<wire::RecordKey>& keys, Effects& effects);
    [[nodiscard]] Batch new_batch() const;
    // False when there is no room left for it.
    bool append(Batch& batch, const wire::RecordKey& key);
    void send(Batch batch, Effects& effects);
    void flush_digest(Effects& effects, TimePoint now);
    void flush_confirm(Effects& effects);
    void flush_request(Effects& effects, TimePoint now);

    GatewayId gateway_;
    NodeId self_;
    Store store_;
    wire::Level level_ = wire::Level::empty;
    Epoch epoch_;
    Epoch highest_;
    std::optional<wire::Level> claimed_with_;  // Promoted: its level before the claim.
    std::optional<NodeId> holder_;
    Peers peers_;
    std::uint64_t sequence_ = 0;
    OnTheirWay on_their_way_;
    Counters counters_;

    // Promoted, or source.
    Unsent unsent_;
    std::optional<TimePoint> digest_at_;
    std::optional<Pass> pass_;

    // Follower.
    std::optional<Asking> asking_;
    ReceivedPass received_;
    KernelState kernel_;
    InstallRetry retry_;
    std::optional<wire::Confirm> last_confirm_;
};

}  // namespace vpnha::replica
