// SPDX-License-Identifier: GPL-2.0-or-later
#include "replica/replica.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::replica {

namespace {

// A request that nobody answered, or whose answer did not match, is repeated so often.
constexpr Duration kAskAgain = std::chrono::seconds(1);

// Room for a message's own fields beside its records.
constexpr std::size_t kMessageOverheadBytes = 64;

}  // namespace

Effects Replica::begin_epoch(const Epoch& epoch) {
    VPNHA_ASSERT(epoch > epoch_);
    adopt_epoch(epoch);
    promoted_ = true;
    holder_ = self_;
    level_ = wire::Level::complete;
    unseen_.clear();
    ask_again_at_.reset();
    ask_now_ = false;
    cursor_.reset();
    end_due_ = true;
    for (const auto& [key, record] : store_.records()) {
        dirty_.insert(key);
    }
    return {Send{wire::Claim{gateway_, epoch_}}};
}

void Replica::end_epoch() {
    promoted_ = false;
    if (holder_ == self_) {
        holder_.reset();
    }
    dirty_.clear();
    confirmed_.clear();
    cursor_.reset();
    end_due_ = false;
    last_confirm_.reset();
}

void Replica::publish(const wire::RecordKey& key, Bytes payload) {
    VPNHA_ASSERT(promoted_);
    if (store_.write(key, std::move(payload)) == Store::Applied::refused) {
        ++counters_.over_limit;
        return;
    }
    dirty_.insert(key);
}

void Replica::erase(const wire::RecordKey& key) {
    VPNHA_ASSERT(promoted_);
    kernel_.erase(key);
    if (store_.erase(key)) {
        dirty_.insert(key);
    }
}

void Replica::on_members(const std::set<NodeId>& present, TimePoint now) {
    members_ = present;
    std::erase_if(peers_, [&](const auto& peer) { return !present.contains(peer.first); });
    std::erase_if(confirmed_, [&](const auto& peer) { return !present.contains(peer.first); });
    if (holder_ && !present.contains(*holder_)) {
        holder_.reset();
    }
    if (!promoted_ && level_ != wire::Level::complete) {
        ask_now_ = true;
        ask_again_at_ = now + kAskAgain;
    }
}

Effects Replica::on_message(NodeId sender, const wire::Message& message, TimePoint now) {
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        return on_hello(sender, *hello);
    }
    if (const auto* request = std::get_if<wire::SnapshotRequest>(&message)) {
        if (request->gateway == gateway_) {
            on_snapshot_request(sender);
        }
        return {};
    }
    if (sender == self_) {
        return {};  // Applied when it was sent.
    }
    if (const auto* claim = std::get_if<wire::Claim>(&message)) {
        return claim->gateway == gateway_ ? on_claim(sender, claim->epoch, now) : Effects{};
    }
    if (const auto* update = std::get_if<wire::Update>(&message)) {
        return update->gateway == gateway_ ? on_update(sender, *update, now) : Effects{};
    }
    if (const auto* snapshot = std::get_if<wire::Snapshot>(&message)) {
        return snapshot->gateway == gateway_ ? on_snapshot(*snapshot, now) : Effects{};
    }
    if (const auto* end = std::get_if<wire::SnapshotEnd>(&message)) {
        return end->gateway == gateway_ ? on_snapshot_end(*end, now) : Effects{};
    }
    if (const auto* confirm = std::get_if<wire::Confirm>(&message)) {
        if (confirm->gateway == gateway_) {
            on_confirm(sender, *confirm);
        }
    }
    return {};
}

Effects Replica::on_hello(NodeId sender, const wire::Hello& hello) {
    if (sender == self_) {
        return {};
    }
    for (const wire::GatewayState& state : hello.gateways) {
        if (state.gateway != gateway_) {
            continue;
        }
        peers_[sender] = state;
        if (state.promoted && state.epoch >= epoch_ && !promoted_) {
            holder_ = sender;
        } else if (!state.promoted && holder_ == sender) {
            holder_.reset();
        }
    }
    return {};
}

Effects Replica::on_claim(NodeId sender, const Epoch& epoch, TimePoint now) {
    if (epoch <= epoch_) {
        ++counters_.stale_epoch;
        return {};
    }
    Effects effects;
    if (promoted_) {
        end_epoch();
        effects.emplace_back(Superseded{epoch});
    }
    adopt_epoch(epoch);
    holder_ = sender;
    unseen_.clear();
    for (const auto& [key, record] : store_.records()) {
        unseen_.insert(key);
    }
    if (level_ != wire::Level::complete) {
        // The claimant says everything again anyway; ask only if that does not come.
        ask_again_at_ = now + kAskAgain;
        ask_now_ = false;
    }
    return effects;
}

Effects Replica::on_update(NodeId sender, const wire::Update& update, TimePoint now) {
    if (!accept_epoch(update.epoch, now)) {
        return {};
    }
    holder_ = sender;
    if (level_ == wire::Level::complete && update.base != sequence_) {
        ++counters_.gaps;
        distrust(now);
    }
    if (level_ == wire::Level::empty) {
        level_ = wire::Level::partial;
    }
    Effects effects;
    std::uint64_t sequence = update.base;
    for (const wire::Change& change : update.changes) {
        ++sequence;
        if (change.erased) {
            forget(change.key, effects);
        } else {
            apply(change.key, wire::Version{update.epoch, sequence}, change.payload, effects);
        }
    }
    sequence_ = sequence;
    return effects;
}

Effects Replica::on_snapshot(const wire::Snapshot& snapshot, TimePoint now) {
    if (!accept_epoch(snapshot.epoch, now)) {
        return {};
    }
    if (level_ == wire::Level::empty) {
        level_ = wire::Level::partial;
    }
    Effects effects;
    for (const wire::SnapshotRecord& record : snapshot.records) {
        apply(record.key, record.version, record.payload, effects);
    }
    return effects;
}

Effects Replica::on_snapshot_end(const wire::SnapshotEnd& end, TimePoint now) {
    if (!accept_epoch(end.epoch, now)) {
        return {};
    }
    Effects effects;
    for (const wire::RecordKey& key : std::exchange(unseen_, {})) {
        forget(key, effects);
    }
    if (end.count != store_.count() || end.digest != store_.digest()) {
        ++counters_.digest_mismatch;
        distrust(now);
        ask_now_ = false;  // Not in a tight circle: after kAskAgain.
        return effects;
    }
    level_ = wire::Level::complete;
    sequence_ = end.sequence;
    ask_again_at_.reset();
    ask_now_ = false;
    return effects;
}

void Replica::on_snapshot_request(NodeId sender) {
    if (sender == self_ || !promoted_or_source()) {
        return;
    }
    cursor_ = Cursor{};  // From the start, for whoever asked while one was under way, too.
}

void Replica::on_confirm(NodeId sender, const wire::Confirm& confirm) {
    if (!promoted_ || confirm.epoch != epoch_ || confirm.sequence > sequence_) {
        return;
    }
    confirmed_[sender] = Confirmed{
        confirm.sequence, std::set<std::uint64_t>(confirm.refused.begin(), confirm.refused.end())};
}

bool Replica::accept_epoch(const Epoch& epoch, TimePoint now) {
    if (epoch < epoch_ || promoted_) {
        ++counters_.stale_epoch;
        return false;
    }
    if (epoch > epoch_) {
        adopt_epoch(epoch);
        distrust(now);
    }
    return true;
}

void Replica::adopt_epoch(const Epoch& epoch) {
    epoch_ = epoch;
    sequence_ = 0;
    confirmed_.clear();
    last_confirm_.reset();
}

void Replica::distrust(TimePoint now) {
    if (level_ == wire::Level::complete) {
        level_ = wire::Level::partial;
    }
    unseen_.clear();
    for (const auto& [key, record] : store_.records()) {
        unseen_.insert(key);
    }
    ask_now_ = true;
    ask_again_at_ = now + kAskAgain;
}

void Replica::apply(const wire::RecordKey& key, const wire::Version& version, const Bytes& payload,
                    Effects& effects) {
    unseen_.erase(key);
    switch (store_.put(key, version, payload)) {
        case Store::Applied::changed:
            kernel_[key] = Kernel::installing;
            effects.emplace_back(Install{key, payload});
            break;
        case Store::Applied::refused:
            ++counters_.over_limit;
            break;
        case Store::Applied::unchanged:
        case Store::Applied::stale:
            break;
    }
}

void Replica::forget(const wire::RecordKey& key, Effects& effects) {
    unseen_.erase(key);
    if (store_.erase(key)) {
        kernel_.erase(key);
        effects.emplace_back(Remove{key});
    }
}

void Replica::on_installed(const wire::RecordKey& key, bool accepted) {
    if (store_.find(key) != nullptr) {
        kernel_[key] = accepted ? Kernel::installed : Kernel::refused;
    }
}

Effects Replica::install_missing() {
    Effects effects;
    for (const auto& [key, record] : store_.records()) {
        if (!is_installed(key)) {
            kernel_[key] = Kernel::installing;
            effects.emplace_back(Install{key, record.payload});
        }
    }
    return effects;
}

Effects Replica::flush(TimePoint now) {
    Effects effects;
    if (promoted_) {
        flush_dirty(effects);
    }
    if (promoted_or_source()) {
        flush_snapshot(effects);
    }
    if (!promoted_ && level_ == wire::Level::complete) {
        flush_confirm(effects);
    }
    if (ask_again_at_ && *ask_again_at_ <= now) {
        ask_now_ = true;
    }
    if (ask_now_ && !promoted_ && level_ != wire::Level::complete) {
        effects.emplace_back(Send{wire::SnapshotRequest{gateway_}});
        ask_again_at_ = now + kAskAgain;
    }
    ask_now_ = false;
    return effects;
}

void Replica::flush_dirty(Effects& effects) {
    wire::Update update{gateway_, epoch_, sequence_, {}};
    std::size_t size = kMessageOverheadBytes;
    const auto cut = [&] {
        effects.emplace_back(Send{std::move(update)});
        update = wire::Update{gateway_, epoch_, sequence_, {}};
        size = kMessageOverheadBytes;
    };
    for (const wire::RecordKey& key : dirty_) {
        const StoredRecord* record = store_.find(key);
        wire::Change change{key, record == nullptr, record == nullptr ? Bytes{} : record->payload};
        const std::size_t added = wire::encoded_size(change);
        if (size + added > limits::kGroupMessageBytesMax) {
            cut();
        }
        ++sequence_;
        if (record != nullptr) {
            store_.set_version(key, wire::Version{epoch_, sequence_});
        }
        size += added;
        update.changes.push_back(std::move(change));
    }
    dirty_.clear();
    if (!update.changes.empty()) {
        cut();
    }
    if (end_due_) {
        end_due_ = false;
        effects.emplace_back(
            Send{wire::SnapshotEnd{gateway_, epoch_, sequence_, store_.count(), store_.digest()}});
    }
}

void Replica::flush_snapshot(Effects& effects) {
    if (!cursor_) {
        return;
    }
    // One chunk a call: what is urgent is never behind more than one of them.
    wire::Snapshot chunk{gateway_, epoch_, {}};
    std::size_t size = kMessageOverheadBytes;
    auto next =
        cursor_->after ? store_.records().upper_bound(*cursor_->after) : store_.records().begin();
    for (; next != store_.records().end(); ++next) {
        wire::SnapshotRecord record{next->first, next->second.version, next->second.payload};
        const std::size_t added = wire::encoded_size(record);
        if (size + added > limits::kGroupMessageBytesMax) {
            break;
        }
        size += added;
        cursor_->after = next->first;
        chunk.records.push_back(std::move(record));
    }
    if (!chunk.records.empty()) {
        effects.emplace_back(Send{std::move(chunk)});
    }
    if (next == store_.records().end()) {
        cursor_.reset();
        ++counters_.snapshots_sent;
        effects.emplace_back(
            Send{wire::SnapshotEnd{gateway_, epoch_, sequence_, store_.count(), store_.digest()}});
    }
}

void Replica::flush_confirm(Effects& effects) {
    wire::Confirm confirm = current_confirm();
    if (epoch_.number == 0 || last_confirm_ == confirm) {
        return;
    }
    last_confirm_ = confirm;
    effects.emplace_back(Send{std::move(confirm)});
}

wire::Confirm Replica::current_confirm() const {
    wire::Confirm confirm{gateway_, epoch_, sequence_, {}};
    for (const auto& [key, state] : kernel_) {
        const StoredRecord* record = store_.find(key);
        if (record == nullptr || record->version.epoch != epoch_) {
            continue;
        }
        if (state == Kernel::installing) {
            confirm.sequence = std::min(confirm.sequence, record->version.sequence - 1);
        } else if (state == Kernel::refused) {
            confirm.refused.push_back(record->version.sequence);
        }
    }
    std::sort(confirm.refused.begin(), confirm.refused.end());
    return confirm;
}

bool Replica::promoted_or_source() const {
    if (promoted_) {
        return true;
    }
    if (holder_ || level_ != wire::Level::complete) {
        return false;
    }
    // Nobody is promoted: the complete member with the lowest id answers.
    return std::none_of(peers_.begin(), peers_.end(), [&](const auto& peer) {
        return peer.first < self_ && peer.second.level == wire::Level::complete;
    });
}

bool Replica::is_protected(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    if (!promoted_ || record == nullptr || dirty_.contains(key)) {
        return false;
    }
    const std::uint64_t sequence = record->version.sequence;
    return std::any_of(confirmed_.begin(), confirmed_.end(), [&](const auto& standby) {
        return standby.second.sequence >= sequence && !standby.second.refused.contains(sequence);
    });
}

bool Replica::is_installed(const wire::RecordKey& key) const {
    const auto found = kernel_.find(key);
    return found != kernel_.end() && found->second == Kernel::installed;
}

bool Replica::is_refused(const wire::RecordKey& key) const {
    const auto found = kernel_.find(key);
    return found != kernel_.end() && found->second == Kernel::refused;
}

std::vector<NodeId> Replica::complete_standbys() const {
    std::vector<NodeId> nodes;
    for (const auto& [node, state] : peers_) {
        if (state.level == wire::Level::complete && state.epoch == epoch_) {
            nodes.push_back(node);
        }
    }
    return nodes;
}

}  // namespace vpnha::replica
