// SPDX-License-Identifier: GPL-2.0-or-later
#include "replica/store.hpp"

#include <sodium.h>

#include <array>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::replica {

namespace {

// SipHash with a fixed key: the digest finds accidents, not attackers (CPG is encrypted).
std::uint64_t hash(const wire::RecordKey& key, ByteView payload) {
    static constexpr std::array<std::uint8_t, crypto_shorthash_KEYBYTES> kKey{};
    ByteWriter text;
    text.u8(static_cast<std::uint8_t>(key.type)).prefixed(key.id).bytes(payload);
    std::array<std::uint8_t, crypto_shorthash_BYTES> out{};
    crypto_shorthash(out.data(), text.view().data(), text.size(), kKey.data());
    return ByteReader(out).u64();
}

}  // namespace

Store::Applied Store::put(const wire::RecordKey& key, const wire::Version& version, Bytes payload) {
    const auto found = records_.find(key);
    if (found != records_.end() && version <= found->second.version) {
        return Applied::stale;
    }
    const Applied applied = write(key, std::move(payload));
    if (applied != Applied::refused) {
        set_version(key, version);
    }
    return applied;
}

Store::Applied Store::write(const wire::RecordKey& key, Bytes payload) {
    const auto found = records_.find(key);
    if (found == records_.end()) {
        if (records_.size() >= limits::kRecordsPerGatewayMax) {
            return Applied::refused;
        }
        digest_ += hash(key, payload);
        records_.emplace(key, StoredRecord{{}, std::move(payload)});
        return Applied::changed;
    }
    StoredRecord& held = found->second;
    if (held.payload == payload) {
        return Applied::unchanged;
    }
    digest_ -= hash(key, held.payload);
    digest_ += hash(key, payload);
    held.payload = std::move(payload);
    return Applied::changed;
}

void Store::set_version(const wire::RecordKey& key, const wire::Version& version) {
    const auto found = records_.find(key);
    VPNHA_ASSERT(found != records_.end() && version >= found->second.version);
    found->second.version = version;
}

bool Store::erase(const wire::RecordKey& key) {
    const auto found = records_.find(key);
    if (found == records_.end()) {
        return false;
    }
    digest_ -= hash(key, found->second.payload);
    records_.erase(found);
    return true;
}

const StoredRecord* Store::find(const wire::RecordKey& key) const {
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : &found->second;
}

}  // namespace vpnha::replica
