// SPDX-License-Identifier: GPL-2.0-or-later
// The messages between the nodes of a cluster over CPG, in agreed order. The bytes of each wire
// version are defined in a separate file (message_v1.cpp, docs/reference/wire-format.md) and never
// change once released; these structs are the meaning in all versions. codec.hpp selects the
// version between two nodes.
//
// Who may send what: only the promoted node of a gateway sends Claim, Update and Digest for it.
// Snapshot and SnapshotEnd come from it. While no node is promoted, they come from the complete
// replica of the newest epoch, among equals that of the lowest node id. Every message carries the
// gateway's epoch, and receivers refuse an older one than they know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/mac_address.hpp"
#include "base/small_bytes.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::wire {

// How much of a gateway's records a replica holds. The numbers are on the wire.
enum class Level : std::uint8_t { empty = 0, partial = 1, complete = 2 };

// The last writer of a record: newer ones win.
struct Version {
    Epoch epoch;
    std::uint64_t sequence = 0;  // 1, 2, 3 … within the epoch.
    friend auto operator<=>(const Version&, const Version&) = default;
};

struct Change {
    RecordKey key;
    bool erased = false;
    SmallBytes payload;  // Empty when erased.
    friend bool operator==(const Change&, const Change&) = default;
};

struct GatewayState {
    GatewayId gateway{};
    bool promoted = false;
    // The sender's voter misses the promoted node's rounds, though that node is a member: none has
    // come since its promise ended.
    bool unreceived = false;
    // The sender's links of either side: lost, or back for less than its hold-off.
    bool outside_lost = false;
    bool inside_lost = false;
    bool stands_in = false;  // It serves, and Pacemaker has not promoted it.
    bool yields = false;     // It serves, and hands over to any standby that claims the lease.
    // The newest epoch that the sender's voter knows ended by order: no node is to stand in.
    bool ended_by_order = false;
    // Promoted: its replica was not complete when it claimed the epoch.
    bool claimed_partial = false;
    Level level = Level::empty;
    // The level, lowered by reasons why the node cannot continue all sessions: records it cannot
    // apply, a set-up that differs from the promoted node's.
    Level standing = Level::empty;
    // The epoch under which it serves, or to which its level refers: not a newer one that the node
    // only knows of.
    Epoch epoch;
    // The change of this epoch up to which it has all. A hello that differs in nothing else is not
    // sent.
    std::uint64_t sequence = 0;
    // Of the sender's devices, if it can hold packets for the gateway before its gate opens: the
    // node that serves forwards packets to them in a planned move.
    SideMacs macs{};
    // The life of the witness from which the sender receives; 0: none.
    std::uint64_t witness = 0;
    friend bool operator==(const GatewayState&, const GatewayState&) = default;
};

// A node introduces itself: after every change of membership, and whenever one of these changes.
// Always in the sender's lowest version, so that every compatible node can read it.
struct Hello {
    std::uint8_t version_min = 0;
    std::uint8_t version_max = 0;
    std::uint64_t features = 0;  // Bits; usable if all members have it. None is defined yet.
    std::uint64_t instance = 0;  // Of this life of vpnhad; random.
    std::string node_name;
    std::vector<GatewayState> gateways;
    friend bool operator==(const Hello&, const Hello&) = default;
};
// Equal, or nearly so: no reason to send hello again.
[[nodiscard]] bool differ_by_sequence_alone(Hello a, Hello b);

// The consequence of a difference between two nodes.
enum class Weight : std::uint8_t {
    note = 0,     // Worth a warning.
    session = 1,  // A session would not continue: secrets, session options.
};

// One comparable item of a node's set-up: never the value, only a keyed hash of it.
struct Fingerprint {
    std::string name;  // "l2tp.hello_interval", "secrets /etc/ppp/chap-secrets".
    Weight weight = Weight::note;
    std::uint64_t hash = 0;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// The sender's whole set-up for one gateway, or with gateway 0 for the node. Follows each hello
// that a change of membership caused.
struct Setup {
    GatewayId gateway{};
    std::vector<Fingerprint> items;
    friend bool operator==(const Setup&, const Setup&) = default;
};

// The sender is promoted with this epoch from here on, and holds
// `count` records with this digest. A complete replica that holds
// the same stays complete. `level`: of its replica until then.
struct Claim {
    GatewayId gateway{};
    Epoch epoch;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    Level level = Level::complete;
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

// After `sequence` of this epoch the sender holds `count` records with this digest. Sent from time
// to time, so that replicas detect a difference.
struct Digest {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
};

// Why a replica requests a snapshot; for logs and counters.
enum class ResyncReason : std::uint8_t {
    joined = 0,
    gap = 1,           // A change that did not follow the last one.
    digest = 2,        // Not equal to the source's.
    malformed = 3,     // A message that could not be read.
    missed_claim = 4,  // An epoch whose claim was missed here.
    over_limit = 5,    // A record did not fit.
    source_lost = 6,   // The source of the snapshot under way died.
    requested = 7,     // `vpnha resync`.
};
[[nodiscard]] std::string_view to_string(ResyncReason reason);

// Requests records of this gateway that are missing or may be stale. `since`: the asker's records
// are right up to there, so newer records and erasures suffice; {} requests everything.
struct SnapshotRequest {
    GatewayId gateway{};
    ResyncReason reason = ResyncReason::joined;
    Version since;
    friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};

struct SnapshotRecord {
    RecordKey key;
    Version version;
    bool erased = false;  // A tombstone, in answer to a request with `since`.
    SmallBytes payload;   // Empty when erased.
    friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};

// A chunk of one pass over all records newer than `since` ({}: all), in the order of their keys,
// between deltas.
struct Snapshot {
    GatewayId gateway{};
    Epoch epoch;
    Version since;
    bool first = false;  // The pass begins here.
    std::vector<SnapshotRecord> records;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// Everything newer than `since` was sent ({}: everything). A replica that now holds `count` records
// with this digest and the sequence `sequence` is complete; another one requests again.
struct SnapshotEnd {
    GatewayId gateway{};
    Epoch epoch;
    Version since;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};

// The sender is complete, and its kernel holds every record up to `sequence` of this epoch,
// including older epochs, without the refused ones. It has read those up to `held`, which is never
// less: sufficient for a type without kernel state.
struct Confirm {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::uint64_t held = 0;
    std::vector<Version> refused;
    friend bool operator==(const Confirm&, const Confirm&) = default;
};

// When this comes back to the sender, all earlier messages have been delivered. A node that stands
// in sends it when it has the lease, and claims after it.
struct Barrier {
    GatewayId gateway{};
    Epoch epoch;
    friend bool operator==(const Barrier&, const Barrier&) = default;
};

// A message of a later version that older nodes may ignore: type >= 0x80.
struct Extension {
    std::uint8_t type = 0;
    friend bool operator==(const Extension&, const Extension&) = default;
};

// The numbers are on the wire; unknown ones are ignored.
enum class MovePhase : std::uint8_t {
    asked = 0,   // By any node, repeatedly: requests the role for `to` from its holder in `epoch`.
    opened = 1,  // By `to`: its gate is open, in `epoch`.
    handed = 2,  // By the former holder, of `epoch`, the next one: see below.
    taken = 3,   // By `to`, promoted in `epoch`: the number of sessions that it has resumed.
};
// A planned move of the role (`vpnha switchover`), as reported by the nodes involved. Optional: a
// node that does not know it is never moved to, and moves nothing.
struct Move {
    GatewayId gateway{};
    MovePhase phase{};
    Epoch epoch;
    NodeId to;
    // From the end of the former holder's lease until it learned that the next gate is open.
    std::uint32_t silence_us = 0;
    std::uint32_t sessions = 0;  // The sender's present or former number.
    friend bool operator==(const Move&, const Move&) = default;
};

// The time for the gateway's sessions, and the sender's (cluster/replica/gateway_clock.hpp):
// sent by the promoted node from time to time, and to nodes that
// request a snapshot. Without a promoted node, those that know it send
// it. Optional: a node that does not know it counts by its own clock.
struct Clock {
    GatewayId gateway{};
    Epoch epoch;                   // In which the gateway's clock was last sent.
    std::uint64_t gateway_ms = 0;  // Milliseconds on that clock.
    std::uint64_t unix_ms = 0;     // The sender's own Unix time, in milliseconds.
    friend bool operator==(const Clock&, const Clock&) = default;
};

using Message = std::variant<Hello, Setup, Claim, Update, Digest, SnapshotRequest, Snapshot,
                             SnapshotEnd, Confirm, Barrier, Extension, Move, Clock>;
// Type of a message on the wire: the index plus one, except for optional ones.
inline constexpr std::uint8_t kOptionalMessageType = 0x80;

// Octets of a change or snapshot record in a message, for cutting batches to size.
[[nodiscard]] std::size_t encoded_size(const Change& change);
[[nodiscard]] std::size_t encoded_size(const SnapshotRecord& record);

}  // namespace vpnha::wire
