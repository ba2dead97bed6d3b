// SPDX-License-Identifier: GPL-2.0-or-later
// What a replica says, and when.
#include <algorithm>
#include <utility>

#include "replica/replica.hpp"

namespace vpnha::replica {

namespace {

// Room for a message's own fields beside its records.
constexpr std::size_t kMessageOverheadBytes = 96;

}  // namespace

Effects Replica::flush(TimePoint now) {
    Effects effects;
    store_.expire(now);
    if (promoted_) {
        flush_dirty(effects, now);
        flush_digest(effects, now);
    }
    if (pass_ && is_source()) {
        flush_pass(effects);
    }
    if (!promoted_) {
        if (is_behind()) {
            distrust(wire::Doubt::missed_claim, effects, now);
        }
        flush_confirm(effects);
        flush_request(effects, now);
        flush_retry(effects, now);
    }
    return effects;
}

std::optional<TimePoint> Replica::next_deadline() const {
    std::optional<TimePoint> at = digest_at_;
    if (asking_) {
        at = earliest(at, asking_->again_at);
    }
    for (const Gathered* dirty : {&dirty_counters_, &dirty_flows_}) {
        if (!dirty->keys.empty() && updates_on_their_way_ < limits::kUpdatesOnTheirWay) {
            at = earliest(at, dirty->due);
        }
    }
    return earliest(at, retry_at_);
}

void Replica::queue(const wire::RecordKey& key) {
    const wire::Service service = wire::traits_of(key.type).service;
    if (service == wire::Service::session) {
        dirty_.push_back(key);
        return;
    }
    // Flows that come and go stay in it until their turn: to look for each of them takes too long.
    Gathered& dirty = service == wire::Service::checkpoint ? dirty_counters_ : dirty_flows_;
    if (dirty.keys.size() > 2 * wire::room_of(service).records_max) {
        std::erase_if(dirty.keys, [this](const auto& each) { return !is_dirty(each); });
    }
    dirty.keys.push_back(key);
}

bool Replica::append(Batch& batch, const wire::RecordKey& key) {
    StoredRecord* const record = store_.find(key);
    const Tombstone* tombstone = record == nullptr ? store_.find_tombstone(key) : nullptr;
    const bool due = record != nullptr ? record->dirty : tombstone != nullptr && tombstone->dirty;
    if (!due) {
        return true;  // Said already.
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
        store_.said(key, *record, version);
    } else {
        store_.said_erased(key, version);
    }
    return true;
}

Replica::Batch Replica::new_batch() const {
    return {wire::Update{gateway_, epoch_, sequence_, {}}, kMessageOverheadBytes};
}

void Replica::send(Batch batch, Effects& effects) {
    if (!batch.update.changes.empty()) {
        ++updates_on_their_way_;
        on_their_way_.emplace_back(batch.update.base, sequence_);
        effects.emplace_back(Send{std::move(batch.update)});
    }
}

void Replica::note_delivered(const wire::Update& own) {
    // Its changes are not read again where it was said.
    const auto said = std::find_if(on_their_way_.begin(), on_their_way_.end(),
                                   [&own](const auto& each) { return each.first == own.base; });
    if (own.epoch == epoch_ && said != on_their_way_.end()) {
        delivered_ = said->second;
        on_their_way_.erase(on_their_way_.begin(), said + 1);
    }
}

void Replica::flush_dirty(Effects& effects, TimePoint now) {
    say_from(dirty_, effects);
    say_gathered(dirty_counters_, effects, now);
    say_gathered(dirty_flows_, effects, now);
}

void Replica::say_gathered(Gathered& dirty, Effects& effects, TimePoint now) {
    if (!dirty.keys.empty() && !dirty.due) {
        dirty.due = now + limits::kGatherPause;
    }
    if (!dirty.keys.empty() && *dirty.due <= now) {
        say_from(dirty.keys, effects);
    }
    if (dirty.keys.empty()) {
        dirty.due.reset();
    }
}

void Replica::say_from(std::deque<wire::RecordKey>& dirty, Effects& effects) {
    while (!dirty.empty() && updates_on_their_way_ < limits::kUpdatesOnTheirWay) {
        Batch batch = new_batch();
        while (!dirty.empty() && append(batch, dirty.front())) {
            dirty.pop_front();
        }
        send(std::move(batch), effects);
    }
}

void Replica::say(const std::vector<wire::RecordKey>& keys, Effects& effects) {
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
    while (pass_ && chunks_on_their_way_ < limits::kChunksOnTheirWay) {
        if (!send_chunk(*pass_, effects)) {
            end_pass(*pass_, effects);
            pass_.reset();
        }
    }
}

bool Replica::send_chunk(Pass& pass, Effects& effects) {
    wire::Snapshot chunk{gateway_, epoch_, pass.since, !pass.begun, {}};
    std::size_t size = kMessageOverheadBytes;
    std::vector<wire::RecordKey> unsaid;
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
                    unsaid.push_back(key);  // The chunk must not be ahead of what was said.
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
    say(unsaid, effects);
    ++chunks_on_their_way_;
    effects.emplace_back(Send{std::move(chunk)});
    return !through;
}

void Replica::end_pass(const Pass& pass, Effects& effects) {
    // What is erased and not yet said still counts for the group, and no chunk had it.
    std::vector<wire::RecordKey> unsaid;
    for (const auto& [key, tombstone] : store_.tombstones()) {
        if (tombstone.dirty) {
            unsaid.push_back(key);
        }
    }
    say(unsaid, effects);
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
    if (level_ != wire::Level::complete || epoch_.number == 0 || confirm_on_its_way_ ||
        lacking_.size() > limits::kRefusedPerConfirmMax) {
        return;
    }
    wire::Confirm confirm{gateway_, epoch_, sequence_, {lacking_.begin(), lacking_.end()}};
    if (const std::optional<wire::Version> first = installing_.first()) {
        if (first->epoch < epoch_) {
            return;  // What older epochs left is confirmed as a whole.
        }
        confirm.sequence = std::min(confirm.sequence, first->sequence - 1);
    }
    if (last_confirm_ != confirm) {
        last_confirm_ = confirm;
        confirm_on_its_way_ = true;
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
    effects.emplace_back(Send{wire::SnapshotRequest{gateway_, asking_->doubt, asking_->since}});
}

void Replica::flush_retry(Effects& effects, TimePoint now) {
    if (!retry_at_ || *retry_at_ > now) {
        return;
    }
    const Store::Records& records = store_.records();
    auto at = retried_ ? records.upper_bound(*retried_) : records.begin();
    retry_again_ = retry_again_ && retried_;
    for (std::size_t n = 0; n < limits::kRecordsPerRetry && at != records.end(); ++n, ++at) {
        retried_ = at->first;
        if (at->second.hold == Hold::refused) {
            request_install(at->first, *store_.find(at->first), effects);
            retry_again_ = true;
        }
    }
    if (at != records.end()) {
        return;  // Still due: a table that is full may refuse hundreds of thousands.
    }
    retried_.reset();
    retry_at_.reset();
    if (retry_again_) {
        retry_pause_ = std::min<Duration>(2 * retry_pause_, limits::kInstallRetryMax);
        retry_at_ = now + retry_pause_;
    }
}

}  // namespace vpnha::replica
