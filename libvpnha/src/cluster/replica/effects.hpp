// SPDX-License-Identifier: GPL-2.0-or-later
// The effects of a replica.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "cluster/wire/message.hpp"

namespace vpnha::replica {

struct Send {
    wire::Message message;
};
// Put the record into this node's kernel; → Replica::on_installed() with the same ticket.
struct Install {
    wire::RecordKey key;
    std::uint64_t ticket = 0;
    SmallBytes payload;
};
struct Remove {
    wire::RecordKey key;
};
// Another node has a newer epoch while this one was promoted: stop serving the gateway.
struct Superseded {
    Epoch epoch;
};
// For the log: this replica distrusts its records from now on, or trusts them again.
struct ResyncBegun {
    wire::ResyncReason reason;
};
struct Completed {};
// For the log: the member sends an epoch that nobody can have reached, for the first time since it
// came. Its messages with such an epoch are dropped.
struct Implausible {
    NodeId sender;
    Epoch epoch;
};

using Effect = std::variant<Send, Install, Remove, Superseded, ResyncBegun, Completed, Implausible>;
using Effects = std::vector<Effect>;

struct Counters {
    std::uint64_t stale_epoch = 0;        // Messages of an epoch older than known; dropped.
    std::uint64_t implausible_epoch = 0;  // Of an epoch too high to be true; dropped.
    std::uint64_t gaps = 0;               // Updates that did not follow the last one.
    std::uint64_t digest_mismatch = 0;    // Digests and snapshot ends that did not match.
    std::uint64_t malformed = 0;          // Messages of the source that could not be read.
    std::uint64_t resyncs = 0;            // Snapshots requested.
    std::uint64_t snapshots_sent = 0;
    std::uint64_t over_limit = 0;  // Records beyond the bound of their type.
    std::uint64_t unreadable = 0;  // Records set aside: this release cannot apply them.
    std::uint64_t refused = 0;     // Installations that the kernel refused.
    std::uint64_t discarded = 0;   // Records of a lost partition replaced by the holder's records.
    // Sessions among them that the holder did not have at its claim: it was not complete.
    std::uint64_t sessions_lost = 0;
};

}  // namespace vpnha::replica
