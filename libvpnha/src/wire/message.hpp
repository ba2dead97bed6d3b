// SPDX-License-Identifier: GPL-2.0-or-later
// What the nodes of a cluster say to each other over CPG, in agreed order. The bytes of each wire
// version have a file of their own (message_v1.cpp, docs/wire-format.md) and never change once
// released; these structs are what all versions mean.
//
// Who may say what: only the promoted node of a gateway sends Claim and Update for it; Snapshot and
// SnapshotEnd come from it, or, while nobody is promoted, from the complete replica with the lowest
// node id. Everything carries the gateway's epoch, and receivers refuse an older one than they
// know.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha::wire {

inline constexpr std::uint8_t kVersionMin = 1;
inline constexpr std::uint8_t kVersionMax = 1;

// How much of a gateway's truth a replica holds. The numbers are on the wire.
enum class Level : std::uint8_t { empty = 0, partial = 1, complete = 2 };

enum class RecordType : std::uint8_t { l2tp_session = 1 };

// Identity of a record within its gateway.
struct RecordKey {
    RecordType type{};
    Bytes id;
    friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

// Who wrote a record last: newer ones win.
struct Version {
    Epoch epoch;
    std::uint64_t sequence = 0;  // 1, 2, 3 … within the epoch.
    friend auto operator<=>(const Version&, const Version&) = default;
};

struct Change {
    RecordKey key;
    bool erased = false;
    Bytes payload;  // Empty when erased.
    friend bool operator==(const Change&, const Change&) = default;
};

struct GatewayState {
    GatewayId gateway{};
    bool promoted = false;
    Level level = Level::empty;
    Epoch epoch;  // Highest seen.
    friend bool operator==(const GatewayState&, const GatewayState&) = default;
};

// A node introduces itself: after every change of membership, and whenever one of these changes.
struct Hello {
    std::uint8_t version_min = kVersionMin;
    std::uint8_t version_max = kVersionMax;
    std::uint64_t instance = 0;  // Random per start of vpnhad.
    std::string node_name;
    std::vector<GatewayState> gateways;
    friend bool operator==(const Hello&, const Hello&) = default;
};

// The sender is promoted with this epoch from here on.
struct Claim {
    GatewayId gateway{};
    Epoch epoch;
    friend bool operator==(const Claim&, const Claim&) = default;
};

// Changes with the sequences base+1, base+2 … of this epoch, in order.
struct Update {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t base = 0;
    std::vector<Change> changes;
    friend bool operator==(const Update&, const Update&) = default;
};

// "I lack the truth of this gateway, or do not trust mine": answered with Snapshots.
struct SnapshotRequest {
    GatewayId gateway{};
    friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};

struct SnapshotRecord {
    RecordKey key;
    Version version;
    Bytes payload;
    friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};

// A chunk of all records, in no particular order, between deltas.
struct Snapshot {
    GatewayId gateway{};
    Epoch epoch;
    std::vector<SnapshotRecord> records;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// Everything of the gateway was said. A replica that now holds `count` records with this digest and
// the sequence `sequence` is complete; one that does not asks again.
struct SnapshotEnd {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};

// The sender's kernel has taken every change up to `sequence` but the refused ones.
struct Confirm {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::vector<std::uint64_t> refused;
    friend bool operator==(const Confirm&, const Confirm&) = default;
};

using Message = std::variant<Hello, Claim, Update, SnapshotRequest, Snapshot, SnapshotEnd, Confirm>;

// Version 1, docs/wire-format.md.
[[nodiscard]] Bytes encode(const Message& message);
// Any version this build speaks. Malformed: wrong magic or checksum, unknown version or type, a
// length beyond its bound, bytes left over.
[[nodiscard]] Result<Message> parse_message(ByteView bytes);

// Octets a change or snapshot record takes in a message, for cutting batches to size.
[[nodiscard]] std::size_t encoded_size(const Change& change);
[[nodiscard]] std::size_t encoded_size(const SnapshotRecord& record);

}  // namespace vpnha::wire
