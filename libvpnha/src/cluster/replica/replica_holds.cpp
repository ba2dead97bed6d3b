// SPDX-License-Identifier: GPL-2.0-or-later
// The held records, their state in this node's kernel, and the other nodes that have them.
#include <algorithm>
#include <utility>

#include "cluster/replica/replica.hpp"

namespace vpnha::replica {

void Replica::apply(const wire::RecordKey& key, const wire::Version& version,
                    const Epoch& authority, ByteView payload, Effects& effects, TimePoint now) {
    StoredRecord* record = store_.find(key);
    if (record != nullptr) {
        kernel_.unnote(*record);
    }
    const Store::Applied applied = store_.put(key, record, version, authority, payload);
    if (applied == Store::Applied::refused) {
        ++counters_.over_limit;
        ++received_.over_limit;
        if (record != nullptr) {
            note(key, *record);
        }
        if (level_ == wire::Level::complete) {
            distrust(wire::ResyncReason::over_limit, effects, now);
        }
        return;
    }
    if (record == nullptr) {
        return;  // Erased since.
    }
    record->pass = received_.number;
    if (applied == Store::Applied::changed) {
        request_install(key, *record, effects);
    } else {
        note(key, *record);
    }
}

void Replica::forget(const wire::RecordKey& key, const wire::Version& version, Effects& effects,
                     TimePoint now) {
    const StoredRecord* record = store_.find(key);
    if (record != nullptr) {
        kernel_.unnote(*record);
    }
    if (store_.drop(key, version, now)) {
        effects.emplace_back(Remove{key});
    } else if (record != nullptr) {
        note(key, *record);
    }
}

void Replica::request_install(const wire::RecordKey& key, StoredRecord& record, Effects& effects) {
    if (!wire::is_known(key.type) && wire::is_optional(key.type)) {
        set_hold(key, record, Hold::carried);
        return;
    }
    record.ticket = kernel_.next_ticket();
    set_hold(key, record, Hold::installing);
    effects.emplace_back(Install{key, record.ticket, record.payload});
}

void Replica::set_hold(const wire::RecordKey& key, StoredRecord& record, Hold hold) {
    kernel_.unnote(record);
    store_.set_hold(key, record, hold);
    record.missing = hold == Hold::none || hold == Hold::refused || hold == Hold::unreadable ||
                     (hold == Hold::installing && record.missing);
    note(key, record);
}

void Replica::on_installed(const wire::RecordKey& key, std::uint64_t ticket, Outcome outcome,
                           TimePoint now) {
    StoredRecord* record = store_.find(key);
    if (record == nullptr || record->ticket != ticket || record->hold != Hold::installing) {
        return;
    }
    switch (outcome) {
        case Outcome::installed:
            set_hold(key, *record, Hold::installed);
            break;
        case Outcome::unreadable:
            ++counters_.unreadable;
            set_hold(key, *record, Hold::unreadable);
            break;
        case Outcome::refused:
            ++counters_.refused;
            set_hold(key, *record, Hold::refused);
            retry_.note_refused();
            if (!promoted() && !retry_.waits()) {  // A demotion searches for refused records.
                retry_.begin(now);
            }
            break;
    }
}

void Replica::on_gone(const wire::RecordKey& key) {
    StoredRecord* record = store_.find(key);
    if (record != nullptr && record->hold == Hold::installed) {
        set_hold(key, *record, Hold::none);
    }
}

void Replica::on_removed(const wire::RecordKey& key) {
    if (StoredRecord* record = store_.find(key)) {
        set_hold(key, *record, Hold::none);
    }
}

Effects Replica::install_missing() {
    Effects effects;
    const auto install = [&](const wire::RecordKey& key, const StoredRecord& stored) {
        if (stored.hold == Hold::none) {
            request_install(key, *store_.find(key), effects);
        }
    };
    store_.each_of(wire::Service::session, install);
    store_.each_of(wire::Service::checkpoint, install);
    return effects;
}

std::optional<wire::RecordKey> Replica::install_some(
    wire::RecordType type, const wire::RecordKey& after, std::size_t count,
    const std::function<void(const wire::RecordKey&)>& held, Effects& effects) {
    std::optional<wire::RecordKey> last;
    for (const auto& [key, stored] : store_.some(type, after, count)) {
        last = key;
        if (stored.hold == Hold::none) {
            request_install(key, *store_.find(key), effects);
        } else if (stored.hold == Hold::installed) {
            held(key);
        }
    }
    return last;
}

bool Replica::is_source() const {
    if (promoted()) {
        return true;
    }
    if (holder_ || level_ != wire::Level::complete) {
        return false;
    }
    // No node is promoted: the lowest id of the most advanced complete members answers.
    const wire::Version mine{epoch_, sequence_};
    return std::none_of(peers().begin(), peers().end(), [&](const auto& peer) {
        const auto& [node, state] = peer;
        const wire::Version reached = peers_.reached(node, epoch_);
        return state.level == wire::Level::complete &&
               (reached > mine || (reached == mine && node < self_));
    });
}

bool Replica::is_behind() const {
    const wire::Version mine{epoch_, sequence_};
    return !promoted() && !holder_ &&
           std::any_of(peers().begin(), peers().end(), [&](const auto& peer) {
               return peer.second.level == wire::Level::complete &&
                      peers_.reached(peer.first, epoch_) > mine;
           });
}

std::optional<NodeId> Replica::better() const {
    const auto found = std::find_if(peers().begin(), peers().end(), [](const auto& peer) {
        return peer.second.level == wire::Level::complete;
    });
    return level_ == wire::Level::complete || found == peers().end() ? std::nullopt
                                                                     : std::optional(found->first);
}

bool Replica::equals_mine(std::uint32_t count, std::uint64_t digest) const {
    return count == store_.count() && digest == store_.digest();
}

bool Replica::is_protected(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    return promoted() && quorate() && record != nullptr && !record->dirty &&
           peers_.have(epoch_, key.type, record->version);
}

std::optional<std::uint64_t> Replica::confirmed_by_standbys() const {
    std::optional<std::uint64_t> lowest;
    for (const NodeId node : complete_standbys()) {
        const Peers::Confirmed* const confirmed = peers_.confirmed_by(node);
        if (confirmed == nullptr) {
            return std::nullopt;
        }
        lowest = std::min(lowest.value_or(confirmed->sequence), confirmed->sequence);
    }
    return lowest;
}

std::optional<Duration> Replica::lag(TimePoint now) const {
    if (!promoted() || complete_standbys().empty()) {
        return std::nullopt;
    }
    const std::optional<TimePoint> since = on_their_way_.lag().since();
    return since ? now - *since : Duration::zero();
}

bool Replica::holds(const Epoch& epoch, std::uint64_t sequence) const {
    // The holder of a later epoch had it, and this replica equals that one's.
    return level_ == wire::Level::complete &&
           (epoch_ > epoch || (epoch_ == epoch && sequence_ >= sequence));
}

Hold Replica::hold(const wire::RecordKey& key) const {
    const StoredRecord* record = store_.find(key);
    return record == nullptr ? Hold::none : record->hold;
}

std::vector<NodeId> Replica::complete_standbys() const {
    std::vector<NodeId> nodes;
    for (const auto& [node, state] : peers()) {
        if (node != holder_ && state.level == wire::Level::complete && state.epoch == epoch_) {
            nodes.push_back(node);
        }
    }
    return nodes;
}

Coverage Replica::coverage(NodeId node) const {
    Coverage coverage;
    const auto count = [&](const auto& holds) {
        store_.each_of(wire::Service::session,
                       [&](const wire::RecordKey& key, const StoredRecord& record) {
                           ++(holds(key, record) ? coverage.held : coverage.missing);
                       });
    };
    if (node == self_) {
        coverage.known = level_ == wire::Level::complete;
        count([](const wire::RecordKey&, const StoredRecord& record) {
            return record.hold == Hold::installed || record.hold == Hold::carried;
        });
    } else if (const Peers::Confirmed* const confirmed = peers_.confirmed_by(node)) {
        coverage.known = true;
        count([&](const wire::RecordKey& key, const StoredRecord& record) {
            return !record.dirty && confirmed->covers(epoch_, key.type, record.version);
        });
    }
    return coverage;
}

}  // namespace vpnha::replica
