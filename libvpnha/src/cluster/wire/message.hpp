// SPDX-License-Identifier: GPL-2.0-or-later
// What the nodes of a cluster say to each other over CPG, in agreed order. The bytes of each wire
// version have a file of their own (message_v1.cpp, docs/reference/wire-format.md) and never change
// once released; these structs are what all versions mean. Which version two nodes speak is
// codec.hpp's.
//
// Who may say what: only the promoted node of a gateway sends Claim, Update and Digest for it;
// Snapshot and SnapshotEnd come from it, or, while nobody is promoted, from the complete replica
// of the newest epoch, among equals that of the lowest node id. Everything carries the gateway's
// epoch, and receivers refuse an older one than they know.
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

// Who wrote a record last: newer ones win.
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
    bool unheard = false;
    // The sender's links of either side: lost, or back for less than its hold-off.
    bool outside_lost = false;
    bool inside_lost = false;
    bool stands_in = false;  // It serves, and nobody has promoted it.
    bool yields = false;     // It serves, and hands over to any standby that claims the lease.
    // The newest epoch that the sender's voter knows ended by order: nobody is to stand in.
    bool ended_by_order = false;
    // Promoted: its replica was not complete when it claimed the epoch.
    bool claimed_partial = false;
    Level level = Level::empty;
    // The level, lowered by what keeps the node from going on with all sessions: records it cannot
    // apply, a set-up that differs from the promoted node's.
    Level standing = Level::empty;
    // The one that it serves under, or that its level is about: no newer one of which the node has
    // only heard.
    Epoch epoch;
    // Of this epoch: up to which change it has all. A hello that differs in nothing else is not
    // sent.
    std::uint64_t sequence = 0;
    // Of the sender's devices, if it can hold what comes for the gateway before its gate opens: the
    // node that serves sends on to them in a planned move.
    SideMacs macs{};
    // The life of the witness that the sender hears; 0: none.
    std::uint64_t witness = 0;
    friend bool operator==(const GatewayState&, const GatewayState&) = default;
};

// A node introduces itself: after every change of membership, and whenever one of these changes.
// Always in the lowest version the sender speaks, so that everybody who can be talked to reads it.
struct Hello {
    std::uint8_t version_min = 0;
    std::uint8_t version_max = 0;
    std::uint64_t features = 0;  // Bits; what all members have may be used. None is defined yet.
    std::uint64_t instance = 0;  // Of this life of vpnhad; random.
    std::string node_name;
    std::vector<GatewayState> gateways;
    friend bool operator==(const Hello&, const Hello&) = default;
};
// Equal, or nearly so: no reason to say hello once more.
[[nodiscard]] bool differ_by_sequence_alone(Hello a, Hello b);

// What a difference between two nodes means.
enum class Weight : std::uint8_t {
    note = 0,     // Worth a warning.
    session = 1,  // A session would not go on: secrets, session options.
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

// The sender is promoted with this epoch from here on, and holds `count` records with this digest:
// a complete replica that holds the same goes on being complete. `level`: of its replica until
// then.
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

// After `sequence` of this epoch the sender holds `count` records with this digest. Said from time
// to time, so that replicas which differ find out.
struct Digest {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
};

// Why a replica asks for a snapshot; for logs and counters.
enum class ResyncReason : std::uint8_t {
    joined = 0,
    gap = 1,           // A change that did not follow the last one.
    digest = 2,        // Not equal to the source's.
    malformed = 3,     // A message that could not be read.
    missed_claim = 4,  // An epoch that was never claimed in our hearing.
    over_limit = 5,    // A record did not fit.
    source_lost = 6,   // The source of the snapshot under way died.
    requested = 7,     // `vpnha resync`.
};
[[nodiscard]] std::string_view to_string(ResyncReason reason);

// "I lack records of this gateway, or may have missed changes". `since`: what the asker holds is
// right up to there, newer records and erasures suffice; {} asks for everything.
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

// Everything newer than `since` was said ({}: everything). A replica that now holds `count` records
// with this digest and the sequence `sequence` is complete; one that does not asks again.
struct SnapshotEnd {
    GatewayId gateway{};
    Epoch epoch;
    Version since;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    std::uint64_t digest = 0;
    friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};

// The sender is complete, and its kernel holds every record up to `sequence` of this epoch, those
// of older epochs included, but the refused ones. It has read those up to `held`, which is never
// less: of a type with nothing in a kernel that is as good.
struct Confirm {
    GatewayId gateway{};
    Epoch epoch;
    std::uint64_t sequence = 0;
    std::uint64_t held = 0;
    std::vector<Version> refused;
    friend bool operator==(const Confirm&, const Confirm&) = default;
};

// What the sender said and heard before has been delivered when this comes back to it: whoever
// stands in for a holder says it when it has the lease, and claims behind it.
struct Barrier {
    GatewayId gateway{};
    Epoch epoch;
    friend bool operator==(const Barrier&, const Barrier&) = default;
};

// A message of a later version that nodes which do not know it may leave out: type >= 0x80.
struct Extension {
    std::uint8_t type = 0;
    friend bool operator==(const Extension&, const Extension&) = default;
};

// The numbers are on the wire; one that is not known is left out.
enum class MovePhase : std::uint8_t {
    asked = 0,   // By any node, again and again: `to` is to have the role, which `epoch` has.
    opened = 1,  // By `to`: its gate is open, in `epoch`.
    handed = 2,  // By the former holder, of `epoch`, the next one: see below.
    taken = 3,   // By `to`, promoted in `epoch`: it has resumed so many sessions.
};
// A planned move of the role (`vpnha switchover`), by the words of those that take part in it.
// Optional: who does not know it is never moved to, and moves nobody.
struct Move {
    GatewayId gateway{};
    MovePhase phase{};
    Epoch epoch;
    NodeId to;
    // From the end of the former holder's lease until it heard that the next gate is open.
    std::uint32_t silence_us = 0;
    std::uint32_t sessions = 0;  // That the sender has, or had.
    friend bool operator==(const Move&, const Move&) = default;
};

// What time it is for the gateway's sessions, and for the sender
// (cluster/replica/gateway_clock.hpp): by the promoted node from time to time, and to who asks for
// a snapshot; with none, by those that know. Optional: who does not know it counts by its own
// clock.
struct Clock {
    GatewayId gateway{};
    Epoch epoch;                   // In which the gateway's clock was said last.
    std::uint64_t gateway_ms = 0;  // Milliseconds on that clock.
    std::uint64_t unix_ms = 0;     // The sender's own Unix time, in milliseconds.
    friend bool operator==(const Clock&, const Clock&) = default;
};

using Message = std::variant<Hello, Setup, Claim, Update, Digest, SnapshotRequest, Snapshot,
                             SnapshotEnd, Confirm, Barrier, Extension, Move, Clock>;
// Type of a message on the wire: the index plus one, except for optional ones.
inline constexpr std::uint8_t kOptionalMessageType = 0x80;

// Octets a change or snapshot record takes in a message, for cutting batches to size.
[[nodiscard]] std::size_t encoded_size(const Change& change);
[[nodiscard]] std::size_t encoded_size(const SnapshotRecord& record);

}  // namespace vpnha::wire
