// SPDX-License-Identifier: GPL-2.0-or-later
// What is held, what this node's kernel makes of it, and who else has it.
#include <algorithm>
#include <utility>

#include "replica/replica.hpp"

namespace vpnha::replica {

void Replica::apply(const wire::RecordKey& key, const wire::Version& version,
                    const Epoch& authority, const Bytes& payload, Effects& effects, TimePoint now) {
    StoredRecord* record = store_.find(key);
    if (record != nullptr) {
        unnote(*record);
    }
    const Store::Applied applied = store_.put(key, record, version, authority, payload);
    if (applied == Store::Applied::refused) {
        ++counters_.over_limit;
        ++over_limit_;
        if (level_ == wire::Level::complete) {
            distrust(wire::Doubt::over_limit, effects, now);
        }
        return;
    }
    if (record == nullptr) {
        return;  // Erased since.
    }
    record->pass = pass_number_;
    if (applied == Store::Applied::changed) {
        request_install(key, *record, effects);
    } else {
        note(*record);
    }
}

void Replica::forget(const wire::RecordKey& key, const wire::Version& version, Effects& effects,
                     TimePoint now) {
    const StoredRecord* record = store_.find(key);
    if (record != nullptr) {
        unnote(*record);
    }
    if (store_.drop(key, version, now)) {
        effects.emplace_back(Remove{key});
    } else if (record != nullptr) {
        note(*record);
    }
}

void Replica::request_install(const wire::RecordKey& key, StoredRecord& record, Effects& effects) {
    if (!wire::is_known(key.type) && wire::is_optional(key.type)) {
        set_hold(record, Hold::carried);
        return;
    }
    record.ticket = ++last_ticket_;
    set_hold(record, Hold::installing);
    effects.emplace_back(Install{key, record.ticket, record.payload.copy()});
}

void Replica::note(const StoredRecord& record) {
    switch (record.hold) {
        case Hold::installing:
            // What the others know to be lacking does not hold up the rest while it is tried again.
            (record.lacking ? lacking_ : installing_).insert(record.version);
            break;
        case Hold::none:
        case Hold::refused:
        case Hold::unreadable:
            if (!promoted_) {
                lacking_.insert(record.version);
            }
            break;
        case Hold::installed:
        case Hold::carried:
            break;
    }
}

void Replica::unnote(const StoredRecord& record) {
    installing_.erase(record.version);
    lacking_.erase(record.version);
}

void Replica::set_hold(StoredRecord& record, Hold hold) {
    unnote(record);
    record.hold = hold;
    record.lacking = hold == Hold::none || hold == Hold::refused || hold == Hold::unreadable ||
                     (hold == Hold::installing && record.lacking);
    note(record);
}

void Replica::on_installed(const wire::RecordKey& key, std::uint64_t ticket, Outcome outcome,
                           TimePoint now) {
    StoredRecord* record = store_.find(key);
    if (record == nullptr || record->ticket != ticket || record->hold != Hold::installing) {
        return;
    }
    switch (outcome) {
        case Outcome::installed:
            set_hold(*record, Hold::installed);
            break;
        case Outcome::unreadable:
            ++counters_.unreadable;
            set_hold(*record, Hold::unreadable);
            break;
        case Outcome::refused:
            ++counters_.refused;
            set_hold(*record, Hold::refused);
            if (!retry_at_) {
                retry_pause_ = limits::kInstallRetryFirst;
                retry_at_ = now + retry_pause_;
            }
            break;
    }
}

void Replica::on_gone(const wire::RecordKey& key) {
    StoredRecord* record = store_.find(key);
    if (record != nullptr && record->hold == Hold::installed) {
        set_hold(*record, Hold::none);
    }
}

Effects Replica::install_missing() {
    Effects effects;
    for (const auto& [key, stored] : store_.records()) {
        if (stored.hold == Hold::none) {
            request_install(key, *store_.find(key), effects);
        }
    }
    return effects;
}

bool Replica::is_source() const {
    if (promoted_) {
        return true;
    }
    if (holder_ || level_ != wire::Level::complete) {
        return false;
    }
    // Nobody is promoted: of the complete members with the newest epoch the lowest id answers.
    return std::none_of(peers_.begin(), peers_.end(), [&](const auto& peer) {
        const auto& [node, state] = peer;
        return state.level == wire::Level::complete &&
               (state.epoch > epoch_ || (state.epoch == epoch_ && node < self_));
    });
}

bool Replica::equals_mine(std::uint32_t count, std::uint64_t digest) const {
    return count == store_.count() && digest == store_.digest();
}

bool Replica::Confirmed::covers(const Epoch& epoch, const wire::Version& version) const {
    return (version.epoch < epoch || version.sequence <= sequence) && !refused.contains(version);
}

bool Replica::is_protected(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    if (!promoted_ || !quorate_ || record == nullptr || record->dirty) {
        return false;
    }
    return std::any_of(confirmed_.begin(), confirmed_.end(), [&](const auto& standby) {
        return standby.second.covers(epoch_, record->version);
    });
}

Hold Replica::hold(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    return record == nullptr ? Hold::none : record->hold;
}

std::vector<NodeId> Replica::complete_standbys() const {
    std::vector<NodeId> nodes;
    for (const auto& [node, state] : peers_) {
        if (node != holder_ && state.level == wire::Level::complete && state.epoch == epoch_) {
            nodes.push_back(node);
        }
    }
    return nodes;
}

Coverage Replica::coverage(NodeId node) const {
    const std::uint64_t total = store_.records().size();
    if (node == self_) {
        const std::uint64_t missing = lacking_.size() + installing_.size();
        return {level_ == wire::Level::complete, total - std::min(total, missing), missing};
    }
    const auto found = confirmed_.find(node);
    if (found == confirmed_.end()) {
        return {};
    }
    Coverage coverage{true, 0, 0};
    for (const auto& [key, record] : store_.records()) {
        const bool held = !record.dirty && found->second.covers(epoch_, record.version);
        ++(held ? coverage.held : coverage.missing);
    }
    return coverage;
}

}  // namespace vpnha::replica
