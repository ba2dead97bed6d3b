// SPDX-License-Identifier: GPL-2.0-or-later
// The records of one gateway as this node knows
// them, each with its state in this node's kernel.
//
// A store results from the group's messages in agreed order. At the promoted node a record may be
// ahead of that: written, and not yet sent. Count and digest are always those of the sent records,
// so that all nodes compare the same thing.
//
// The digest is the sum of a hash of every record (identity, version and payload): equal stores
// have equal digests whatever order their records came in, and each change costs O(1).
//
// An erased record leaves a tombstone for limits::kTombstoneLife, at most limits::kTombstonesMax of
// them: a node that missed only changes since then can be sent the difference alone. horizon() is
// the point from which on the tombstones know every erasure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "base/small_bytes.hpp"
#include "base/time.hpp"
#include "cluster/replica/record_index.hpp"
#include "cluster/wire/message.hpp"
#include "cluster/wire/record_traits.hpp"

namespace vpnha::replica {

// The state of a record in this node's kernel.
enum class Hold : std::uint8_t {
    none,        // Not requested: this node negotiated it itself, or the kernel's copy is gone.
    installing,  // Requested, not yet answered.
    installed,
    refused,     // The kernel refused it; requested again later.
    unreadable,  // This release cannot apply it; a retry is pointless.
    carried,     // Of an optional type unknown here: kept for others.
};

struct StoredRecord {
    wire::Version version;     // As last sent; {}: never.
    std::uint64_t hash = 0;    // Its share of the digest.
    std::uint64_t ticket = 0;  // Of the last requested installation.
    SmallBytes payload;
    std::uint32_t pass = 0;  // The snapshot pass that repeated it last.
    Hold hold = Hold::none;  // Store::set_hold()
    bool missing = false;    // Requested again: counts as refused until the kernel has it.
    bool counted = false;    // In count and digest: it was sent.
    bool dirty = false;      // Written, and not yet sent.
};

struct Tombstone {
    wire::Version version;   // Of the erasure; while that is not sent, of the record.
    std::uint64_t hash = 0;  // The record's share of the digest, while the erasure is not sent.
    TimePoint erased_at{};
    bool dirty = false;  // Erased, and not yet sent.
};

class Store {
  public:
    using Records = RecordIndex<StoredRecord>::Records;
    // Some of the records, in their order; until the next change of the store.
    class Part {
      public:
        Part(Records::const_iterator begin, Records::const_iterator end)
            : begin_(begin), end_(end) {}
        [[nodiscard]] Records::const_iterator begin() const { return begin_; }
        [[nodiscard]] Records::const_iterator end() const { return end_; }

      private:
        Records::const_iterator begin_;
        Records::const_iterator end_;
    };
    enum class Applied {
        unchanged,  // Same payload: at most the version was raised.
        changed,    // New, or another payload.
        stale,      // An equal or newer version is held.
        refused,    // The bound of its type is reached.
    };

    // Follower: a record as the group received it. `authority` is the epoch of the message: records
    // held from older epochs are replaced, whatever their version. `record`: the result of find()
    // for the key, before and after.
    Applied put(const wire::RecordKey& key, StoredRecord*& record, const wire::Version& version,
                const Epoch& authority, ByteView payload);
    // Follower: an erasure as the group received it. True when it was there.
    bool drop(const wire::RecordKey& key, const wire::Version& version, TimePoint now);

    struct Written {
        Applied applied;
        StoredRecord* record = nullptr;  // When changed.
        bool was_dirty = false;          // It, or its erasure.
    };
    // Promoted: a new payload, dirty until sent. `unchanged` when it is held and sent already.
    Written write(const wire::RecordKey& key, ByteView payload);
    // Promoted: dirty until sent. False when there was nothing to erase.
    bool erase(const wire::RecordKey& key, TimePoint now);
    // Promoted: the dirty record, or the erasure of that key, was sent with this version.
    void emitted(const wire::RecordKey& key, StoredRecord& record, const wire::Version& version);
    void emitted_erased(const wire::RecordKey& key, const wire::Version& version);
    // No longer promoted: unsent changes count as they are, under the versions after `last`, which
    // no other node has received. True when there were any.
    bool settle_unsent(wire::Version& last);

    // Follower, at the end of a full pass: drops records that it did not repeat and that no update
    // of this epoch has written; returns the keys.
    std::vector<wire::RecordKey> sweep(std::uint32_t pass);

    // Drops tombstones older than limits::kTombstoneLife.
    void expire(TimePoint now);
    // No node may request a difference to a state from before `horizon`.
    void forget_tombstones(const wire::Version& horizon);

    [[nodiscard]] StoredRecord* find(const wire::RecordKey& key);
    void set_hold(const wire::RecordKey& key, StoredRecord& record, Hold hold);
    // These records are about to be needed: fetched together they cost a fraction of the cache
    // misses that they cost one after the other.
    void warm(std::span<const wire::Change> changes) const;
    [[nodiscard]] const StoredRecord* find(const wire::RecordKey& key) const;
    [[nodiscard]] const Tombstone* find_tombstone(const wire::RecordKey& key) const;
    [[nodiscard]] const std::map<wire::RecordKey, StoredRecord>& records() const {
        return records_;
    }
    [[nodiscard]] const std::map<wire::RecordKey, Tombstone>& tombstones() const {
        return tombstones_;
    }
    // Skips those of other services: they are many.
    template <class Visit>
    void each_of(wire::Service service, Visit visit) const {
        for (auto at = records_.begin(); at != records_.end();) {
            if (wire::traits_of(at->first.type).service == service) {
                visit(at->first, at->second);
                ++at;
            } else {
                at = records_.upper_bound(wire::last_key(at->first.type));
            }
        }
    }
    // At most `count` of them; with a key of a lower type, from the first one on.
    [[nodiscard]] Part some(wire::RecordType type, const wire::RecordKey& after,
                            std::size_t count) const {
        const wire::RecordKey first{type, {}};
        const auto begin = records_.upper_bound(std::max(after, first));
        auto end = begin;
        for (std::size_t n = 0; n < count && end != records_.end() && end->first.type == type;
             ++n) {
            ++end;
        }
        return Part(begin, end);
    }
    // Both ends are included.
    [[nodiscard]] Part range(const wire::RecordKey& first, const wire::RecordKey& last) const {
        return Part(records_.lower_bound(first), records_.upper_bound(last));
    }
    [[nodiscard]] Part all(wire::RecordType type) const {
        return some(type, {}, std::numeric_limits<std::size_t>::max());
    }
    [[nodiscard]] std::size_t size_of(wire::RecordType type) const {
        return sizes_[static_cast<std::uint8_t>(type)];
    }
    [[nodiscard]] std::size_t size_of(wire::Service service) const {
        return held_[static_cast<std::size_t>(service)].records;
    }
    // Of types that this release does not know.
    [[nodiscard]] std::size_t unknown() const;
    [[nodiscard]] std::size_t installed_flows() const { return installed_flows_; }
    // Every erasure with a version above it has a tombstone.
    [[nodiscard]] const wire::Version& horizon() const { return horizon_; }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    [[nodiscard]] std::uint32_t count() const { return counted_; }
    // Octets of all payloads.
    [[nodiscard]] std::size_t payload_bytes() const;

  private:
    // Of all types of a service.
    struct Held {
        std::size_t records = 0;
        std::size_t bytes = 0;  // Of payloads.
    };

    void emit(const wire::RecordKey& key, StoredRecord& record, const wire::Version& version);
    [[nodiscard]] Records::iterator locate(const wire::RecordKey& key);
    StoredRecord& add(const wire::RecordKey& key, ByteView payload);
    void replace_payload(const wire::RecordKey& key, StoredRecord& record, ByteView payload);
    [[nodiscard]] Held& held(wire::RecordType type);
    // For a payload that replaces another one's octets; `records`: 1 when it is new, else 0.
    [[nodiscard]] bool has_room_for(wire::RecordType type, std::size_t records, std::size_t bytes,
                                    std::size_t instead_of) const;
    // From count and digest as well.
    void remove(Records::iterator record);
    void release(Records::iterator record);
    void bury(const wire::RecordKey& key, const wire::Version& version, TimePoint now);

    Records records_;
    RecordIndex<StoredRecord> index_;
    std::map<wire::RecordKey, Tombstone> tombstones_;
    // Sent erasures, the oldest first; the entry of a key that lives again is void.
    std::deque<std::pair<wire::RecordKey, wire::Version>> buried_;
    wire::Version horizon_;
    std::uint64_t digest_ = 0;
    std::uint32_t counted_ = 0;
    std::array<std::uint32_t, 256> sizes_{};  // Records of each type.
    std::array<Held, wire::kServices> held_{};
    std::size_t installed_flows_ = 0;
};

}  // namespace vpnha::replica
