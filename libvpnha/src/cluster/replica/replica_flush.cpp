// SPDX-License-Identifier: GPL-2.0-or-later
// The messages of a replica, and when they are sent.
#include <algorithm>
#include <utility>

#include "cluster/replica/replica.hpp"

namespace vpnha::replica {

namespace {

// Room for a message's own fields besides its records.
constexpr std::size_t kMessageOverheadBytes = 96;

}  // namespace

Effects Replica::flush(TimePoint now) {
    Effects effects;
    store_.expire(now);
    if (promoted()) {
        unsent_.each_due(now, [&](Unsent::Keys& keys) { emit_from(keys, effects); });
        on_their_way_.lag().on_sent(sequence_, now);
        flush_digest(effects, now);
    }
    if (pass_ && is_source()) {
        flush_pass(effects);
    }
    if (!promoted()) {
        if (level_ == wire::Level::complete && is_behind()) {
            give_way(wire::ResyncReason::missed_claim, effects, now);
        }
        flush_confirm(effects);
        flush_request(effects, now);
        retry_.run(store_.records(), now, [&](const wire::RecordKey& key) {
            request_install(key, *store_.find(key), effects);
        });
    }
    return effects;
}

std::optional<TimePoint> Replica::next_deadline() const {
    std::optional<TimePoint> at = digest_at_;
    if (asking_) {
        at = earliest(at, asking_->again_at);
    }
    if (on_their_way_.takes_update()) {
        at = earliest(at, unsent_.next_due());
    }
    return earliest(at, retry_.next_deadline());
}

void Replica::queue(const wire::RecordKey& key) {
    unsent_.push(key, [this](const wire::RecordKey& each) { return is_dirty(each); });
}

bool Replica::append(Batch& batch, const wire::RecordKey& key) {
    StoredRecord* const record = store_.find(key);
    const Tombstone* tombstone = record == nullptr ? store_.find_tombstone(key) : nullptr;
    const bool due = record != nullptr ? record->dirty : tombstone != nullptr && tombstone->dirty;
    if (!due) {
        return true;  // Sent already.
    }
    wire::Change change{key, record == nullptr, record == nullptr ? SmallBytes() : record->payload};
    const std::size_t size = batch.size + wire::encoded_size(change);
    if (size > limits::kGroupMessageBytesMax) {
        return false;
    }
    batch.size = size;
    batch.update.changes.push_back(std::move(change));
    const wire::Version version{epoch_, ++sequence_};
    if (record != nullptr) {
        store_.emitted(key, *record, version);
    } else {
        store_.emitted_erased(key, version);
    }
    return true;
}

Replica::Batch Replica::new_batch() const {
    return {wire::Update{gateway_, epoch_, sequence_, {}}, kMessageOverheadBytes};
}

void Replica::send(Batch batch, Effects& effects) {
    if (!batch.update.changes.empty()) {
        on_their_way_.update_sent(batch.update.base, sequence_);
        effects.emplace_back(Send{std::move(batch.update)});
    }
}

void Replica::emit_from(Unsent::Keys& dirty, Effects& effects) {
    while (!dirty.empty() && on_their_way_.takes_update()) {
        Batch batch = new_batch();
        while (!dirty.empty() && append(batch, dirty.front())) {
            dirty.pop_front();
        }
        send(std::move(batch), effects);
    }
}

void Replica::emit(const std::vector<wire::RecordKey>& keys, Effects& effects) {
    Batch batch = new_batch();
    for (const wire::RecordKey& key : keys) {
        if (!append(batch, key)) {
            send(std::exchange(batch, new_batch()), effects);
            append(batch, key);
        }
    }
    send(std::move(batch), effects);
}

void Replica::flush_pass(Effects& effects) {
    while (pass_ && on_their_way_.takes_chunk()) {
        if (!send_chunk(*pass_, effects)) {
            end_pass(*pass_, effects);
            pass_.reset();
        }
    }
}

bool Replica::send_chunk(Pass& pass, Effects& effects) {
    wire::Snapshot chunk{gateway_, epoch_, pass.since, !pass.begun, {}};
    std::size_t size = kMessageOverheadBytes;
    std::vector<wire::RecordKey> unsent;
    const auto add = [&](wire::SnapshotRecord record) {
        size += wire::encoded_size(record);
        const bool fits = size <= limits::kChunkBytesMax;
        if (fits) {
            chunk.records.push_back(std::move(record));
        }
        return fits;
    };
    // One walk over the records, a second one over the tombstones, from where the last chunk ended.
    const auto walk = [&](const auto& map, const auto& visit) {
        auto at = pass.after ? map.upper_bound(*pass.after) : map.begin();
        for (; at != map.end(); ++at) {
            if (!visit(at->first, at->second)) {
                return false;
            }
            pass.after = at->first;
        }
        pass.after.reset();
        return true;
    };
    bool through = true;
    if (!pass.records_done) {
        through = walk(store_.records(), [&](const auto& key, const StoredRecord& record) {
            if (record.dirty) {
                if (record.counted) {
                    unsent.push_back(key);  // It counts for the group, and no chunk has it.
                }
                return true;
            }
            return record.version <= pass.since ||
                   add({key, record.version, false, record.payload});
        });
        pass.records_done = through;
    }
    if (through && pass.since != wire::Version{}) {
        through = walk(store_.tombstones(), [&](const auto& key, const Tombstone& tombstone) {
            return tombstone.dirty || tombstone.version <= pass.since ||
                   add({key, tombstone.version, true, {}});
        });
    }
    pass.begun = true;
    on_their_way_.chunk_sent();
    effects.emplace_back(Send{std::move(chunk)});
    // After the chunk: the first chunk begins the pass. A record that was sent earlier and that the
    // pass does not repeat would be swept.
    emit(unsent, effects);
    return !through;
}

void Replica::end_pass(const Pass& pass, Effects& effects) {
    // An erasure that is not yet sent still counts for the group, and no chunk had it.
    std::vector<wire::RecordKey> unsent;
    for (const auto& [key, tombstone] : store_.tombstones()) {
        if (tombstone.dirty) {
            unsent.push_back(key);
        }
    }
    emit(unsent, effects);
    ++counters_.snapshots_sent;
    effects.emplace_back(Send{wire::SnapshotEnd{gateway_, epoch_, pass.since, sequence_,
                                                store_.count(), store_.digest()}});
}

void Replica::flush_digest(Effects& effects, TimePoint now) {
    if (digest_at_ && *digest_at_ <= now) {
        digest_at_ = now + limits::kDigestInterval;
        effects.emplace_back(
            Send{wire::Digest{gateway_, epoch_, sequence_, store_.count(), store_.digest()}});
    }
}

void Replica::flush_confirm(Effects& effects) {
    if (level_ != wire::Level::complete || epoch_.number == 0 || !on_their_way_.takes_confirm() ||
        kernel_.missing().size() > limits::kRefusedPerConfirmMax) {
        return;
    }
    const std::set<wire::Version>& missing = kernel_.missing();
    wire::Confirm confirm{gateway_, epoch_, sequence_, sequence_, {missing.begin(), missing.end()}};
    if (const std::optional<wire::Version> first = kernel_.installing().first()) {
        if (first->epoch < epoch_) {
            return;  // Records of older epochs are confirmed as a whole.
        }
        confirm.sequence = std::min(confirm.sequence, first->sequence - 1);
    }
    if (last_confirm_ != confirm) {
        last_confirm_ = confirm;
        on_their_way_.confirm_sent();
        effects.emplace_back(Send{std::move(confirm)});
    }
}

void Replica::flush_request(Effects& effects, TimePoint now) {
    if (!asking_) {
        return;
    }
    if (!asking_->now && asking_->again_at > now) {
        return;
    }
    if (!asking_->now) {
        asking_->pause = std::min<Duration>(2 * asking_->pause, limits::kAskAgainMax);
    }
    asking_->now = false;
    asking_->source.reset();
    asking_->again_at = now + asking_->pause;
    ++counters_.resyncs;
    effects.emplace_back(Send{wire::SnapshotRequest{gateway_, asking_->reason, asking_->since}});
}

}  // namespace vpnha::replica
