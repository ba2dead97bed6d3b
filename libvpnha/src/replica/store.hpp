// SPDX-License-Identifier: GPL-2.0-or-later
// The records of one gateway as this node knows them. Latest version wins; an erased record is
// simply gone, because CPG's agreed order never delivers an older change after a newer one, and a
// snapshot is cut from the live store.
//
// The digest is the sum of a keyed hash of every record (identity and payload, not the version, so
// that a new epoch which changes nothing keeps it): equal stores have equal digests whatever order
// their records came in, and each change costs O(1).
#pragma once

#include <cstdint>
#include <map>

#include "wire/message.hpp"

namespace vpnha::replica {

struct StoredRecord {
    wire::Version version;
    Bytes payload;
};

class Store {
  public:
    enum class Applied {
        unchanged,  // Same payload: at most the version was raised.
        changed,    // New, or another payload.
        stale,      // An equal or newer version is held.
        refused,    // limits::kRecordsPerGatewayMax is reached.
    };

    Applied put(const wire::RecordKey& key, const wire::Version& version, Bytes payload);
    // Promoted: replaces the payload; its version follows when it is said to the group.
    Applied write(const wire::RecordKey& key, Bytes payload);
    // Promoted: the number under which the held payload was said to the group.
    void set_version(const wire::RecordKey& key, const wire::Version& version);
    // True when it was there.
    bool erase(const wire::RecordKey& key);

    [[nodiscard]] const StoredRecord* find(const wire::RecordKey& key) const;
    [[nodiscard]] const std::map<wire::RecordKey, StoredRecord>& records() const {
        return records_;
    }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    [[nodiscard]] std::uint32_t count() const {
        return static_cast<std::uint32_t>(records_.size());
    }

  private:
    std::map<wire::RecordKey, StoredRecord> records_;
    std::uint64_t digest_ = 0;
};

}  // namespace vpnha::replica
