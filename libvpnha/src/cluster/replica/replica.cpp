// SPDX-License-Identifier: GPL-2.0-or-later
// Handling of events. Sending is in replica_flush.cpp, and the kernel's state of the records in
// replica_holds.cpp.
#include "cluster/replica/replica.hpp"

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::replica {

namespace {

// Few enough to stay in the first-level cache until their turn comes.
constexpr std::size_t kWarmedAtOnce = 16;

// The newest epoch that a message of the gateway carries; {}: none, or of another gateway.
Epoch newest_epoch_in(const wire::Message& message, GatewayId gateway) {
    return std::visit(
        [gateway]<class Body>(const Body& body) -> Epoch {
            Epoch newest;
            if constexpr (std::is_same_v<Body, wire::Hello>) {
                for (const wire::GatewayState& state : body.gateways) {
                    newest = state.gateway == gateway ? std::max(newest, state.epoch) : newest;
                }
            } else if constexpr (requires { body.since.epoch; }) {
                newest = body.gateway == gateway ? body.since.epoch : newest;
            }
            if constexpr (requires { body.epoch; }) {
                newest = body.gateway == gateway ? std::max(newest, body.epoch) : newest;
            }
            if constexpr (std::is_same_v<Body, wire::Snapshot>) {
                for (const wire::SnapshotRecord& record : body.records) {
                    newest =
                        body.gateway == gateway ? std::max(newest, record.version.epoch) : newest;
                }
            }
            return newest;
        },
        message);
}

}  // namespace

Replica::Replica(GatewayId gateway, NodeId self) : gateway_(gateway), self_(self) {}

void Replica::start_over() {
    Replica fresh(gateway_, self_);
    fresh.epoch_ = highest_;
    fresh.highest_ = highest_;
    fresh.withhold_records(on_their_way_.withholds_records());
    *this = std::move(fresh);
}

Effects Replica::begin_epoch(const Epoch& epoch, TimePoint now) {
    VPNHA_ASSERT(epoch > highest_);
    Effects effects;
    claimed_with_ = level_;
    adopt_epoch(epoch);
    holder_ = self_;
    level_ = wire::Level::complete;
    asking_.reset();
    retry_.stop();
    kernel_.clear_missing();
    digest_at_ = now + limits::kDigestInterval;
    effects.emplace_back(
        Send{wire::Claim{gateway_, epoch_, store_.count(), store_.digest(), *claimed_with_}});
    return effects;
}

void Replica::end_epoch(TimePoint now) {
    claimed_with_.reset();
    if (holder_ == self_) {
        holder_.reset();
    }
    wire::Version last{epoch_, sequence_};
    if (store_.settle_unsent(last)) {
        sequence_ = last.sequence;
        level_ = wire::Level::partial;
        asking_ = Asking{};
        asking_->again_at = now + asking_->pause;
    }
    unsent_.clear();
    peers_.forget_confirmations();
    pass_.reset();
    digest_at_.reset();
    last_confirm_.reset();
    kernel_.clear();
    for (const auto& [key, record] : store_.records()) {
        if (!wire::is_session(key.type) && record.hold == Hold::installed) {
            // Packets may have changed it since, and not all of that was sent.
            store_.set_hold(key, *store_.find(key), Hold::none);
        }
        note(key, record);
        if (record.hold == Hold::refused) {
            retry_.begin(now);
        }
    }
}

bool Replica::publish(const wire::RecordKey& key, ByteView payload) {
    const Store::Written written = write(key, payload);
    if (written.applied == Store::Applied::changed) {
        // The kernel's copy, if the record was hot here as well, is older than this.
        set_hold(key, *written.record, Hold::none);
    }
    return written.applied != Store::Applied::refused;
}

void Replica::amend(const wire::RecordKey& key, ByteView payload) {
    if (store_.find(key) != nullptr) {
        write(key, payload);
    }
}

Store::Written Replica::write(const wire::RecordKey& key, ByteView payload) {
    VPNHA_ASSERT(promoted());
    const Store::Written written = store_.write(key, payload);
    if (written.applied == Store::Applied::changed && !written.was_dirty) {
        queue(key);
    } else if (written.applied == Store::Applied::refused) {
        ++counters_.over_limit;
    }
    return written;
}

void Replica::erase(const wire::RecordKey& key, TimePoint now) {
    VPNHA_ASSERT(promoted());
    if (const StoredRecord* record = store_.find(key)) {
        kernel_.unnote(*record);
    }
    const bool queued = is_dirty(key);
    if (!store_.erase(key, now)) {
        return;
    }
    if (!queued) {
        queue(key);
    } else if (wire::is_session(key.type) && !is_dirty(key)) {
        unsent_.drop_session(key);  // Come and gone before it was sent.
    }
}

bool Replica::is_dirty(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    const Tombstone* tombstone = store_.find_tombstone(key);
    return (record != nullptr && record->dirty) || (tombstone != nullptr && tombstone->dirty);
}

void Replica::on_members(const std::set<NodeId>& present, bool quorate, TimePoint now) {
    const bool joined = peers_.set_members(self_, present, quorate, now);
    const auto is_absent = [&present](NodeId node) { return !present.contains(node); };
    if (holder_ && is_absent(*holder_)) {
        holder_.reset();
    }
    if (pass_) {
        std::erase_if(pass_->askers, is_absent);
        if (pass_->askers.empty()) {
            pass_.reset();
        }
    }
    if (joined) {
        // They have received neither our last confirmation nor any earlier message.
        last_confirm_.reset();
        if (promoted()) {
            digest_at_ = now;
        }
    }
    if (promoted() || level_ == wire::Level::complete) {
        return;
    }
    if (!asking_) {
        asking_ = Asking{};
    }
    if (asking_->source && is_absent(*asking_->source)) {
        asking_->source.reset();
        asking_->reason = wire::ResyncReason::source_lost;
    }
    if (!asking_->source) {
        asking_->now = true;
        asking_->pause = limits::kAskAgainFirst;
        asking_->again_at = now + asking_->pause;
    }
}

Effects Replica::on_implausible(NodeId sender, const Epoch& epoch) {
    ++counters_.implausible_epoch;
    if (holder_ == sender) {
        holder_.reset();
    }
    return peers_.distrust(sender) ? Effects{Implausible{sender, epoch}} : Effects{};
}

Effects Replica::on_message(NodeId sender, const wire::Message& message, TimePoint now) {
    if (const Epoch newest = newest_epoch_in(message, gateway_);
        sender != self_ && !is_plausible(newest)) {
        return on_implausible(sender, newest);
    }
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        return sender == self_ ? Effects{} : on_hello(sender, *hello, now);
    }
    const auto is_mine = [&](const auto* body) {
        return body != nullptr && body->gateway == gateway_;
    };
    const auto* update = std::get_if<wire::Update>(&message);
    const auto* snapshot = std::get_if<wire::Snapshot>(&message);
    const auto* confirm = std::get_if<wire::Confirm>(&message);
    if (sender == self_) {
        // It was applied when it was sent; its return makes room for the next one.
        if (is_mine(update)) {
            on_their_way_.update_came(*update, epoch_);
        } else if (is_mine(snapshot)) {
            on_their_way_.chunk_came();
        } else if (is_mine(confirm)) {
            on_their_way_.confirm_came();
        }
        return {};
    }
    if (is_mine(update)) {
        return on_update(sender, *update, now);
    }
    if (is_mine(snapshot)) {
        return on_snapshot(sender, *snapshot, now);
    }
    if (is_mine(confirm)) {
        return on_confirm(sender, *confirm, now);
    }
    if (const auto* claim = std::get_if<wire::Claim>(&message); is_mine(claim)) {
        return on_claim(sender, *claim, now);
    }
    if (const auto* digest = std::get_if<wire::Digest>(&message); is_mine(digest)) {
        return on_digest(sender, *digest, now);
    }
    if (const auto* end = std::get_if<wire::SnapshotEnd>(&message); is_mine(end)) {
        return on_snapshot_end(sender, *end, now);
    }
    if (const auto* request = std::get_if<wire::SnapshotRequest>(&message); is_mine(request)) {
        on_snapshot_request(sender, *request);
    }
    return {};
}

Effects Replica::on_malformed(NodeId sender, TimePoint now) {
    Effects effects;
    if (!promoted() && (sender == holder_ || (asking_ && asking_->source == sender))) {
        ++counters_.malformed;
        distrust(wire::ResyncReason::malformed, effects, now);
    }
    return effects;
}

Effects Replica::on_hello(NodeId sender, const wire::Hello& hello, TimePoint now) {
    Effects effects;
    peers_.meet(sender);
    const auto found =
        std::find_if(hello.gateways.begin(), hello.gateways.end(),
                     [this](const auto& state) { return state.gateway == gateway_; });
    if (found == hello.gateways.end()) {
        // It has detached the gateway, or vpnhad has just started there.
        peers_.forget(sender);
        if (holder_ == sender) {
            holder_.reset();
        }
        return effects;
    }
    peers_.introduce(sender, *found);
    highest_ = std::max(highest_, found->epoch);
    if (!found->promoted) {
        if (holder_ == sender) {
            holder_.reset();
        }
    } else if (found->epoch >= epoch_ && accept_epoch(found->epoch, effects, now)) {
        holder_ = sender;
    }
    // As for a confirmation.
    if (!promoted() && !holder_ && level_ == wire::Level::complete &&
        found->level == wire::Level::complete && found->epoch == epoch_ &&
        found->sequence > sequence_) {
        ++counters_.gaps;
        distrust(wire::ResyncReason::gap, effects, now);
    }
    return effects;
}

Effects Replica::on_claim(NodeId sender, const wire::Claim& claim, TimePoint now) {
    highest_ = std::max(highest_, claim.epoch);
    if (claim.epoch <= epoch_) {
        ++counters_.stale_epoch;
        return {};
    }
    Effects effects;
    if (promoted()) {
        end_epoch(now);
        effects.emplace_back(Superseded{claim.epoch});
    }
    adopt_epoch(claim.epoch);
    holder_ = sender;
    if (equals_mine(claim.count, claim.digest)) {
        complete(0, effects);
        return effects;
    }
    if (level_ == wire::Level::complete) {
        ++counters_.digest_mismatch;
    }
    give_way(wire::ResyncReason::digest, effects, now);
    return effects;
}

Effects Replica::on_update(NodeId sender, const wire::Update& update, TimePoint now) {
    Effects effects;
    if (!accept_epoch(update.epoch, effects, now)) {
        return effects;
    }
    holder_ = sender;
    if (level_ == wire::Level::complete && update.base != sequence_) {
        ++counters_.gaps;
        distrust(wire::ResyncReason::gap, effects, now);
    }
    if (level_ == wire::Level::empty) {
        level_ = wire::Level::partial;
    }
    wire::Version version{update.epoch, update.base};
    const std::span<const wire::Change> changes(update.changes);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (i % kWarmedAtOnce == 0) {
            store_.warm(changes.subspan(i, std::min(kWarmedAtOnce, changes.size() - i)));
        }
        const wire::Change& change = changes[i];
        ++version.sequence;
        if (change.erased) {
            forget(change.key, version, effects, now);
        } else {
            apply(change.key, version, update.epoch, change.payload, effects, now);
        }
    }
    sequence_ = version.sequence;
    return effects;
}

Effects Replica::on_digest(NodeId sender, const wire::Digest& digest, TimePoint now) {
    Effects effects;
    if (accept_epoch(digest.epoch, effects, now)) {
        holder_ = sender;
        compare(digest.sequence, digest.count, digest.digest, effects, now);
    }
    return effects;
}

void Replica::compare(std::uint64_t sequence, std::uint32_t count, std::uint64_t digest,
                      Effects& effects, TimePoint now) {
    if (level_ != wire::Level::complete) {
        return;
    }
    if (sequence != sequence_) {
        ++counters_.gaps;
        distrust(wire::ResyncReason::gap, effects, now);
    } else if (!equals_mine(count, digest)) {
        ++counters_.digest_mismatch;
        distrust(wire::ResyncReason::digest, effects, now);
    }
}

Effects Replica::on_snapshot(NodeId sender, const wire::Snapshot& snapshot, TimePoint now) {
    Effects effects;
    if (!accept_epoch(snapshot.epoch, effects, now) || !asking_) {
        return effects;
    }
    if (snapshot.first) {
        const bool suffices =
            snapshot.since == wire::Version{} ||
            (snapshot.since.epoch == asking_->since.epoch && snapshot.since <= asking_->since);
        asking_->source = suffices ? std::optional(sender) : std::nullopt;
        asking_->pass_since = snapshot.since;
        received_ = {received_.number + 1, 0};
    }
    if (asking_->source != sender) {
        return effects;  // Its first chunk was missed, or it is not for us.
    }
    asking_->again_at = now + asking_->pause;
    if (level_ == wire::Level::empty) {
        level_ = wire::Level::partial;
    }
    for (const wire::SnapshotRecord& record : snapshot.records) {
        if (record.erased) {
            forget(record.key, record.version, effects, now);
        } else {
            apply(record.key, record.version, authority_over(record.key, snapshot), record.payload,
                  effects, now);
        }
    }
    return effects;
}

Epoch Replica::authority_over(const wire::RecordKey& key, const wire::Snapshot& snapshot) const {
    // A full pass is authoritative for each record that no update has written since it began: a
    // held record of the same version may be wrong.
    constexpr Epoch kAboveAll{limits::kCounterMax + 1, {}};
    const StoredRecord* held = store_.find(key);
    const bool written_since = held != nullptr && held->pass == received_.number;
    return snapshot.since == wire::Version{} && !written_since ? kAboveAll : snapshot.epoch;
}

Effects Replica::on_snapshot_end(NodeId sender, const wire::SnapshotEnd& end, TimePoint now) {
    Effects effects;
    if (!accept_epoch(end.epoch, effects, now)) {
        return effects;
    }
    if (!asking_) {
        // A standby with older records knows less, so its digest does not count.
        if (holder_ == sender || end.sequence >= sequence_) {
            compare(end.sequence, end.count, end.digest, effects, now);
        }
        return effects;
    }
    if (!ends_pass(sender, end)) {
        return effects;
    }
    const bool everything = end.since == wire::Version{};
    if (everything) {
        counters_.sessions_lost += lost_by(sender, end).size();
        // Holds are removed with the records.
        for (const auto& [key, record] : store_.records()) {
            if (record.pass != received_.number) {
                kernel_.unnote(record);
            }
        }
        for (const wire::RecordKey& key : store_.sweep(received_.number)) {
            ++counters_.discarded;
            effects.emplace_back(Remove{key});
        }
    }
    if (equals_mine(end.count, end.digest)) {
        if (everything) {
            store_.forget_tombstones({end.epoch, end.sequence});
        }
        sequence_ = end.sequence;
        if (is_behind()) {
            // The source is not complete either: its records suffice for a difference.
            asking_->reason = wire::ResyncReason::gap;
            asking_->since = {epoch_, sequence_};
            asking_->source.reset();
            asking_->now = true;
            return effects;
        }
        complete(end.sequence, effects);
        return effects;
    }
    ++counters_.digest_mismatch;
    asking_->reason =
        received_.over_limit > 0 ? wire::ResyncReason::over_limit : wire::ResyncReason::digest;
    asking_->since = {};
    asking_->source.reset();
    asking_->again_at = now + asking_->pause;  // Not in a tight loop.
    return effects;
}

std::vector<wire::RecordKey> Replica::lost_by(NodeId sender, const wire::SnapshotEnd& end) const {
    std::vector<wire::RecordKey> lost;
    const auto holder = peers_.states().find(sender);
    if (end.gateway != gateway_ || end.epoch != epoch_ || end.since != wire::Version{} ||
        !ends_pass(sender, end) || !asking_->was_complete || holder == peers_.states().end() ||
        !holder->second.claimed_partial) {
        return lost;
    }
    for (const auto& [key, record] : store_.records()) {
        if (wire::is_session(key.type) && record.pass != received_.number) {
            lost.push_back(key);
        }
    }
    return lost;
}

void Replica::on_snapshot_request(NodeId sender, const wire::SnapshotRequest& request) {
    if (!is_source()) {
        return;
    }
    const bool difference = request.since.epoch == epoch_ && epoch_ != Epoch{} &&
                            request.since >= store_.horizon() &&
                            request.since.sequence <= sequence_;
    const wire::Version since = difference ? request.since : wire::Version{};
    // From the start for all askers, with the records that each of them needs.
    Pass pass{since, false, false, {}, {sender}};
    if (pass_) {
        pass.since = std::min(pass.since, pass_->since);
        pass.askers.merge(pass_->askers);
    }
    pass_ = std::move(pass);
}

Effects Replica::on_confirm(NodeId sender, const wire::Confirm& confirm, TimePoint now) {
    Effects effects;
    if (confirm.epoch == epoch_ && (!promoted() || confirm.held <= sequence_)) {
        peers_.confirm(sender, confirm);
        on_their_way_.lag().on_confirmed(confirmed_by_standbys().value_or(0));
        // From a holder that died while this node was cut off. A live one sends digests.
        if (!promoted() && !holder_ && level_ == wire::Level::complete &&
            confirm.held > sequence_) {
            ++counters_.gaps;
            distrust(wire::ResyncReason::gap, effects, now);
        }
    }
    return effects;
}

bool Replica::accept_epoch(const Epoch& epoch, Effects& effects, TimePoint now) {
    if (epoch < epoch_ || (promoted() && epoch == epoch_)) {
        ++counters_.stale_epoch;
        return false;
    }
    if (epoch == epoch_) {
        return true;
    }
    if (promoted()) {
        end_epoch(now);
        effects.emplace_back(Superseded{epoch});
    }
    adopt_epoch(epoch);
    give_way(wire::ResyncReason::missed_claim, effects, now);
    return true;
}

void Replica::give_way(wire::ResyncReason reason, Effects& effects, TimePoint now) {
    const bool was_complete = level_ == wire::Level::complete;
    distrust(reason, effects, now);
    asking_->was_complete |= was_complete;
}

void Replica::adopt_epoch(const Epoch& epoch) {
    VPNHA_ASSERT(epoch > epoch_);
    epoch_ = epoch;
    highest_ = std::max(highest_, epoch);
    if (holder_ && *holder_ != epoch.node) {
        holder_.reset();  // It has claimed an older one.
    }
    sequence_ = 0;
    on_their_way_.begin_epoch();
    peers_.forget_confirmations();
    last_confirm_.reset();
    pass_.reset();
    store_.forget_tombstones({epoch, 0});
}

void Replica::distrust(wire::ResyncReason reason, Effects& effects, TimePoint now) {
    const bool was_right = level_ == wire::Level::complete;
    const bool missed_only =
        reason == wire::ResyncReason::gap || reason == wire::ResyncReason::malformed;
    if (!was_right && asking_ && missed_only) {
        asking_->source.reset();
        return;  // Requested already; the pass will end in a difference.
    }
    if (was_right) {
        level_ = wire::Level::partial;
        asking_.reset();
    }
    effects.emplace_back(ResyncBegun{reason});
    if (!asking_) {
        asking_ = Asking{};
    }
    asking_->reason = reason;
    asking_->since = was_right && missed_only ? wire::Version{epoch_, sequence_} : wire::Version{};
    asking_->now = true;
    asking_->source.reset();
    asking_->again_at = now + asking_->pause;
}

void Replica::complete(std::uint64_t sequence, Effects& effects) {
    sequence_ = sequence;
    if (level_ != wire::Level::complete) {
        effects.emplace_back(Completed{});
    }
    level_ = wire::Level::complete;
    asking_.reset();
}

Effects Replica::resync(TimePoint now) {
    Effects effects;
    if (!promoted()) {
        distrust(wire::ResyncReason::requested, effects, now);
    }
    return effects;
}

}  // namespace vpnha::replica
