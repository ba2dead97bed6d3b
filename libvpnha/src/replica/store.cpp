// SPDX-License-Identifier: GPL-2.0-or-later
#include "replica/store.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "base/octets.hpp"

namespace vpnha::replica {

namespace {

// What is hashed beside the payload: type, id with its length, version.
constexpr std::size_t kHashedBytes = 1 + 2 + limits::kRecordIdBytesMax + 8 + 4 + 8;

// SipHash with a fixed key: the digest finds accidents, not attackers (CPG is encrypted).
std::uint64_t hash(const wire::RecordKey& key, const wire::Version& version, ByteView payload) {
    static constexpr std::array<std::uint8_t, crypto_shorthash_KEYBYTES> kKey{};
    Octets<kHashedBytes + limits::kRecordPayloadBytesMax> text;
    text.u8(static_cast<std::uint8_t>(key.type));
    text.u16(static_cast<std::uint16_t>(key.id.view().size()));
    text.bytes(key.id.view());
    text.u64(version.epoch.number);
    text.u32(version.epoch.node.value);
    text.u64(version.sequence);
    text.bytes(payload);
    std::array<std::uint8_t, crypto_shorthash_BYTES> out{};
    crypto_shorthash(out.data(), text.view().data(), text.size(), kKey.data());
    return ByteReader(out).u64();
}

// Whether `version`, said under `authority`, has nothing to say against what is held.
bool is_stale(const wire::Version& held, const wire::Version& version, const Epoch& authority) {
    return held.epoch >= authority && version <= held;
}

}  // namespace

Store::Applied Store::put(const wire::RecordKey& key, StoredRecord*& record,
                          const wire::Version& version, const Epoch& authority, ByteView payload) {
    if (record != nullptr) {
        if (is_stale(record->version, version, authority)) {
            return Applied::stale;
        }
        const bool other = replace_payload(*record, payload);
        say(key, *record, version);
        return other ? Applied::changed : Applied::unchanged;
    }
    const auto grave = tombstones_.find(key);
    if (grave != tombstones_.end()) {
        if (is_stale(grave->second.version, version, authority)) {
            return Applied::stale;
        }
        tombstones_.erase(grave);
    }
    if (!has_room_for(key.type)) {
        return Applied::refused;
    }
    record = &add(key, payload);
    say(key, *record, version);
    return Applied::changed;
}

bool Store::drop(const wire::RecordKey& key, const wire::Version& version, TimePoint now) {
    const auto found = locate(key);
    const bool held = found != records_.end();
    if (held && is_stale(found->second.version, version, version.epoch)) {
        return false;
    }
    if (held) {
        remove(found);
    }
    bury(key, version, now);
    return held;
}

Store::Written Store::write(const wire::RecordKey& key, ByteView payload) {
    if (StoredRecord* held = find(key)) {
        if (!replace_payload(*held, payload)) {
            return {Applied::unchanged};
        }
        return {Applied::changed, held, std::exchange(held->dirty, true)};
    }
    if (!has_room_for(key.type)) {
        return {Applied::refused};
    }
    StoredRecord& record = add(key, payload);
    record.dirty = true;
    bool was_dirty = false;
    const auto grave = tombstones_.find(key);
    if (grave != tombstones_.end()) {
        was_dirty = grave->second.dirty;
        if (was_dirty) {
            // The group has not heard of its end, so for the group it goes on.
            record.version = grave->second.version;
            record.hash = grave->second.hash;
            record.counted = true;
        }
        tombstones_.erase(grave);
    }
    return {Applied::changed, &record, was_dirty};
}

bool Store::erase(const wire::RecordKey& key, TimePoint now) {
    const auto found = locate(key);
    if (found == records_.end()) {
        return false;
    }
    const StoredRecord& record = found->second;
    if (record.counted) {
        tombstones_[key] = Tombstone{record.version, record.hash, now, true};
    }
    release(found);
    return true;
}

void Store::said(const wire::RecordKey& key, StoredRecord& record, const wire::Version& version) {
    VPNHA_ASSERT(record.dirty);
    say(key, record, version);
}

void Store::said_erased(const wire::RecordKey& key, const wire::Version& version) {
    const auto grave = tombstones_.find(key);
    VPNHA_ASSERT(grave != tombstones_.end() && grave->second.dirty);
    digest_ -= grave->second.hash;
    --counted_;
    bury(key, version, grave->second.erased_at);
}

bool Store::settle_unsaid(wire::Version& last) {
    bool any = false;
    for (auto& [key, record] : records_) {
        if (record.dirty) {
            ++last.sequence;
            say(key, record, last);
            any = true;
        }
    }
    std::erase_if(tombstones_, [&](const auto& entry) {
        const Tombstone& tombstone = entry.second;
        if (tombstone.dirty) {
            digest_ -= tombstone.hash;
            --counted_;
            any = true;
        }
        return tombstone.dirty;
    });
    return any;
}

std::vector<wire::RecordKey> Store::sweep(std::uint32_t pass) {
    std::vector<wire::RecordKey> swept;
    for (auto at = records_.begin(); at != records_.end();) {
        const auto record = at++;
        if (record->second.pass != pass) {
            swept.push_back(record->first);
            remove(record);
        }
    }
    return swept;
}

void Store::expire(TimePoint now) {
    while (!buried_.empty()) {
        const auto& [key, version] = buried_.front();
        const auto grave = tombstones_.find(key);
        if (grave != tombstones_.end() && !grave->second.dirty &&
            grave->second.version == version) {
            if (buried_.size() <= limits::kTombstonesMax &&
                now - grave->second.erased_at < limits::kTombstoneLife) {
                return;
            }
            horizon_ = std::max(horizon_, version);
            tombstones_.erase(grave);
        }
        buried_.pop_front();
    }
}

void Store::forget_tombstones(const wire::Version& horizon) {
    std::erase_if(tombstones_, [](const auto& entry) { return !entry.second.dirty; });
    buried_.clear();
    horizon_ = horizon;
}

StoredRecord* Store::find(const wire::RecordKey& key) {
    const auto* place = index_.find(key);
    return place == nullptr ? nullptr : &(*place)->second;
}

void Store::set_hold(const wire::RecordKey& key, StoredRecord& record, Hold hold) {
    if (key.type == wire::RecordType::flow) {
        installed_flows_ -= record.hold == Hold::installed ? 1U : 0U;
        installed_flows_ += hold == Hold::installed ? 1U : 0U;
    }
    record.hold = hold;
}

const StoredRecord* Store::find(const wire::RecordKey& key) const {
    const auto* place = index_.find(key);
    return place == nullptr ? nullptr : &(*place)->second;
}

void Store::warm(std::span<const wire::Change> changes) const {
    for (const wire::Change& change : changes) {
        if (const StoredRecord* record = find(change.key)) {
            __builtin_prefetch(record->payload.data());
        }
    }
}

const Tombstone* Store::find_tombstone(const wire::RecordKey& key) const {
    const auto found = tombstones_.find(key);
    return found == tombstones_.end() ? nullptr : &found->second;
}

void Store::say(const wire::RecordKey& key, StoredRecord& record, const wire::Version& version) {
    if (record.counted) {
        digest_ -= record.hash;
    } else {
        ++counted_;
    }
    record.version = version;
    record.hash = hash(key, version, record.payload);
    record.counted = true;
    record.dirty = false;
    digest_ += record.hash;
}

Store::Records::iterator Store::locate(const wire::RecordKey& key) {
    const auto* place = index_.find(key);
    return place == nullptr ? records_.end() : *place;
}

StoredRecord& Store::add(const wire::RecordKey& key, ByteView payload) {
    payload_bytes_ += payload.size();
    const auto record = records_.emplace(key, StoredRecord{}).first;
    record->second.payload.assign(payload);
    ++sizes_[static_cast<std::uint8_t>(key.type)];
    index_.insert(record);
    return record->second;
}

bool Store::replace_payload(StoredRecord& record, ByteView payload) {
    if (std::ranges::equal(record.payload, payload)) {
        return false;
    }
    payload_bytes_ = payload_bytes_ - record.payload.size() + payload.size();
    record.payload.assign(payload);
    return true;
}

void Store::remove(Records::iterator record) {
    if (record->second.counted) {
        digest_ -= record->second.hash;
        --counted_;
    }
    release(record);
}

void Store::release(Records::iterator record) {
    payload_bytes_ -= record->second.payload.size();
    --sizes_[static_cast<std::uint8_t>(record->first.type)];
    set_hold(record->first, record->second, Hold::none);
    index_.erase(record);
    records_.erase(record);
}

std::size_t Store::unknown() const {
    std::size_t sum = 0;
    for (std::size_t type = 0; type < sizes_.size(); ++type) {
        sum += wire::is_known(static_cast<wire::RecordType>(type)) ? 0 : sizes_[type];
    }
    return sum;
}

bool Store::has_room_for(wire::RecordType type) const {
    const std::size_t tracked = flows() + expectations();
    return wire::is_tracked(type) ? tracked < limits::kFlowsPerGatewayMax
                                  : records_.size() - tracked < limits::kRecordsPerGatewayMax;
}

void Store::bury(const wire::RecordKey& key, const wire::Version& version, TimePoint now) {
    tombstones_[key] = Tombstone{version, 0, now, false};
    buried_.emplace_back(key, version);
    expire(now);
}

}  // namespace vpnha::replica
