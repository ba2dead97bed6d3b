// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/store.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "base/octets.hpp"

namespace vpnha::replica {

namespace {

// Hashed octets besides the payload: type, id with its length, version.
constexpr std::size_t kHashedBytes = 1 + 2 + limits::kRecordIdBytesMax + 8 + 4 + 8;

// SipHash with a fixed key: the digest finds accidents, not attackers (CPG is encrypted).
std::uint64_t hash(const wire::RecordKey& key, const wire::Version& version, ByteView payload) {
    static constexpr std::array<std::uint8_t, crypto_shorthash_KEYBYTES> kKey{};
    Octets<kHashedBytes + wire::kPayloadBytesMax> text;
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

// Whether `version`, sent under `authority`, does not supersede the held one.
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
        const bool other = !std::ranges::equal(record->payload, payload);
        if (other) {
            if (!has_room_for(key.type, 0, payload.size(), record->payload.size())) {
                return Applied::refused;
            }
            replace_payload(key, *record, payload);
        }
        emit(key, *record, version);
        return other ? Applied::changed : Applied::unchanged;
    }
    const auto grave = tombstones_.find(key);
    if (grave != tombstones_.end()) {
        if (is_stale(grave->second.version, version, authority)) {
            return Applied::stale;
        }
        tombstones_.erase(grave);
    }
    if (!has_room_for(key.type, 1, payload.size(), 0)) {
        return Applied::refused;
    }
    record = &add(key, payload);
    emit(key, *record, version);
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
    VPNHA_ASSERT(payload.size() <= wire::traits_of(key.type).payload_max);
    if (StoredRecord* held = find(key)) {
        if (std::ranges::equal(held->payload, payload)) {
            return {Applied::unchanged};
        }
        if (!has_room_for(key.type, 0, payload.size(), held->payload.size())) {
            return {Applied::refused};
        }
        replace_payload(key, *held, payload);
        return {Applied::changed, held, std::exchange(held->dirty, true)};
    }
    if (!has_room_for(key.type, 1, payload.size(), 0)) {
        return {Applied::refused};
    }
    StoredRecord& record = add(key, payload);
    record.dirty = true;
    bool was_dirty = false;
    const auto grave = tombstones_.find(key);
    if (grave != tombstones_.end()) {
        was_dirty = grave->second.dirty;
        if (was_dirty) {
            // The group has not received its end, so for the group it continues.
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

void Store::emitted(const wire::RecordKey& key, StoredRecord& record,
                    const wire::Version& version) {
    VPNHA_ASSERT(record.dirty);
    emit(key, record, version);
}

void Store::emitted_erased(const wire::RecordKey& key, const wire::Version& version) {
    const auto grave = tombstones_.find(key);
    VPNHA_ASSERT(grave != tombstones_.end() && grave->second.dirty);
    digest_ -= grave->second.hash;
    --counted_;
    bury(key, version, grave->second.erased_at);
}

bool Store::settle_unsent(wire::Version& last) {
    bool any = false;
    for (auto& [key, record] : records_) {
        if (record.dirty) {
            ++last.sequence;
            emit(key, record, last);
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

void Store::emit(const wire::RecordKey& key, StoredRecord& record, const wire::Version& version) {
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
    Held& of_service = held(key.type);
    ++of_service.records;
    of_service.bytes += payload.size();
    const auto record = records_.emplace(key, StoredRecord{}).first;
    record->second.payload.assign(payload);
    ++sizes_[static_cast<std::uint8_t>(key.type)];
    index_.insert(record);
    return record->second;
}

void Store::replace_payload(const wire::RecordKey& key, StoredRecord& record, ByteView payload) {
    Held& of_service = held(key.type);
    of_service.bytes = of_service.bytes - record.payload.size() + payload.size();
    record.payload.assign(payload);
}

void Store::remove(Records::iterator record) {
    if (record->second.counted) {
        digest_ -= record->second.hash;
        --counted_;
    }
    release(record);
}

void Store::release(Records::iterator record) {
    Held& of_service = held(record->first.type);
    --of_service.records;
    of_service.bytes -= record->second.payload.size();
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

Store::Held& Store::held(wire::RecordType type) {
    return held_[static_cast<std::size_t>(wire::traits_of(type).service)];
}

bool Store::has_room_for(wire::RecordType type, std::size_t records, std::size_t bytes,
                         std::size_t instead_of) const {
    const wire::Service service = wire::traits_of(type).service;
    const wire::Room room = wire::room_of(service);
    const Held& held = held_[static_cast<std::size_t>(service)];
    return held.records + records <= room.records_max &&
           held.bytes - instead_of + bytes <= room.bytes_max;
}

std::size_t Store::payload_bytes() const {
    std::size_t sum = 0;
    for (const Held& held : held_) {
        sum += held.bytes;
    }
    return sum;
}

void Store::bury(const wire::RecordKey& key, const wire::Version& version, TimePoint now) {
    tombstones_[key] = Tombstone{version, 0, now, false};
    buried_.emplace_back(key, version);
    expire(now);
}

}  // namespace vpnha::replica
