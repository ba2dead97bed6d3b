// SPDX-License-Identifier: GPL-2.0-or-later
// The messages between nodes about the lease of one gateway. Bytes: datagram.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/lease/voters.hpp"

namespace vpnha::lease {

// The kernel's random boot_id: one life of a node.
struct BootId {
    std::array<std::uint8_t, 16> octets{};
    friend constexpr auto operator<=>(const BootId&, const BootId&) = default;
};

// One life of a vpnhad: a random number, so that no two lives of any node have the same.
using Instance = StrongId<struct InstanceTag, std::uint64_t>;

struct Sender {
    NodeId node;
    BootId boot;
    Instance instance;
    friend bool operator==(const Sender&, const Sender&) = default;
};

// A node that holds the gateway's records of `epoch` up to `sequence` has all its counters as they
// stood at `taken_at`, or later. The time is on the clock of the sending node. Without an epoch
// nothing is known of the counters.
struct Checkpoint {
    Epoch epoch;
    std::uint64_t sequence = 0;
    TimePoint taken_at{};
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct RoundId {
    Epoch epoch;
    Instance instance;
    std::uint64_t number = 0;  // k
    friend auto operator<=>(const RoundId&, const RoundId&) = default;
};

// A life of a node that is fenced.
struct Mark {
    NodeId node;
    BootId boot;
    friend bool operator==(const Mark&, const Mark&) = default;
};

// Marks that a node keeps, and that a message carries: two for each voter, and two of former
// voters. A fenced life may outlast its vote, and must not be granted anything then either.
inline constexpr std::size_t kMarksMax = 16;
static_assert(kMarksMax > 2 * kVotersMax);

// Every message with a list of voters carries the sender's marks, and so does every answer.
// voters.hpp has the reason.
using Marks = std::vector<Mark>;

// Claim and renewal are the same message.
struct Round {
    RoundId id;
    TimePoint sent_at{};  // t, on the sender's clock.
    // L of the sender: answers let it serve until t + L, and a promise covers that.
    Duration lease{};
    // A majority has answered this epoch before. Until then it is a claim, and a draining holder
    // hands over to it.
    bool held = false;
    Voters voters;
    Checkpoint checkpoint;  // The newest that standbys have confirmed.
    // A Release that the sender passes on, or one of its own dead epoch.
    std::optional<Epoch> released;
    // Pacemaker has promoted the sender, and none of its leases has lapsed since. Otherwise it
    // stands in, or claims anew by itself.
    bool ordered = false;
    Duration in_vain{};  // Of a claim: for how long the sender has claimed without holding.
    Marks marks{};
    friend bool operator==(const Round&, const Round&) = default;
};

// A voter's knowledge of the epoch before the one that it grants.
enum class Knowledge : std::uint8_t {
    nothing_before,  // It never granted one.
    received,
    lost,  // It has started since.
};

// The newest round that a voter answered.
struct Received {
    Epoch epoch;
    std::uint64_t number = 0;
    TimePoint until{};  // t + L, on the sender's clock.
    bool held = false;
    Checkpoint checkpoint;
    friend bool operator==(const Received&, const Received&) = default;
};

struct Before {
    Knowledge knowledge = Knowledge::nothing_before;
    Received received;
    // Durable. No higher epoch than this was granted to another node than the one that is granted
    // now. With node 0 it names no node: lower grants are not known, or it is a mark.
    Epoch elsewhere{};
    friend bool operator==(const Before&, const Before&) = default;
};

// A draining holder's last message: its gate is shut, and it sent until then at most. A checkpoint
// that was taken after the gate was shut has its counters to the last packet.
struct Handover {
    Epoch released;
    TimePoint until{};
    Checkpoint checkpoint;
    friend bool operator==(const Handover&, const Handover&) = default;
};

// A promise to the round's sender; the first one to an epoch is its grant.
struct Answer {
    RoundId id;
    Before before;
    std::optional<Handover> handover;
    bool saves = true;  // The voter's disk accepts its votes; a renewal needs no disk.
    Marks marks{};
    friend bool operator==(const Answer&, const Answer&) = default;
};

enum class Verdict : std::uint8_t {
    answered,
    abstaining,      // This vpnhad started a moment ago.
    marked,          // The sender's boot id is fenced.
    absent,          // This node's quorate group has missed the sender for too long.
    foreign_voters,  // Another list of voters.
    superseded,      // A higher epoch was granted.
    released,        // The epoch is dead.
    promised,        // A promise to another epoch holds.
    unheld,          // The claim is in vain, and another node asks: see Timing::unheld.
    clock_astray,    // The sender's clock runs at another rate than ρ allows, by the voter's own.
    cannot_save,     // The voter's disk accepts no save.
    // Only for a question:
    ordered,  // The newest epoch ended by order: Pacemaker chooses the next node.
    behind,   // This node's replica has more than the asker's.
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

struct Refusal {
    RoundId id;
    Verdict reason = Verdict::abstaining;
    Epoch granted;  // The voter's highest.
    Voters voters;  // The voter's own.
    Marks marks{};
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

// A node's state of a gateway's records: up to that change of that epoch.
struct Position {
    Epoch epoch;
    std::uint64_t sequence = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

// Would you answer this claim now? Nobody has promoted the asker: no voter saves or promises
// anything for it.
struct Question {
    RoundId id;  // Of the claim that it would be; the number is the question's.
    Voters voters;
    Position position;  // The asker's.
    Marks marks{};
    friend bool operator==(const Question&, const Question&) = default;
};
struct Opinion {
    RoundId id;
    Verdict verdict = Verdict::abstaining;  // `answered`: it would.
    Epoch granted;                          // The voter's highest.
    Voters voters;                          // The voter's own.
    Marks marks{};
    // From a witness: how long ago it answered a round of another node that held the lease.
    std::optional<Duration> answered_ago{};
    friend bool operator==(const Opinion&, const Opinion&) = default;
};

// The sender's deadline is 0 and no answer counts for that epoch any more.
struct Release {
    Epoch epoch;
    bool served = true;  // False: the gate was never open in it.
    // By Pacemaker or an administrator: nobody stands in. After any other end the standbys may.
    bool ordered = false;
    friend bool operator==(const Release&, const Release&) = default;
};

// Fence that life of a node. Repeated until a majority's promises to it have run out.
struct MarkRequest {
    NodeId victim;
    BootId boot;
    friend bool operator==(const MarkRequest&, const MarkRequest&) = default;
};
struct MarkAnswer {
    NodeId victim;
    BootId boot;
    bool run_out = false;
    // The marker's own: a majority of the newest list that any of them knows must have marked it.
    Voters voters;
    Marks marks{};
    friend bool operator==(const MarkAnswer&, const MarkAnswer&) = default;
};

// From a node whose list has no version: requests the receiver's memory.
struct Recall {
    friend bool operator==(const Recall&, const Recall&) = default;
};
// The answer: the state on the sender's disk.
struct Memory {
    Instance to;  // The life that asked.
    Epoch granted;
    Marks marks;
    Voters voters;  // Without a version: the sender remembers nothing, either.
    friend bool operator==(const Memory&, const Memory&) = default;
};

// A number that a life of a vpnhad gave another node, for it to repeat.
struct Challenge {
    Instance of;
    std::uint64_t number = 0;
    friend bool operator==(const Challenge&, const Challenge&) = default;
};

// Announces and proves this life of the node; see replay_guard.hpp.
struct Hello {
    std::optional<std::uint64_t> challenge;  // The sender's own, for the receiver.
    std::optional<Challenge> repeated;
    // Each second: the receiver measures the rate of the sender's clock by it.
    std::optional<TimePoint> sent_at{};
    // With it: the L that the sender's loop and its answers need, where L sizes itself.
    std::optional<Duration> needs{};
    friend bool operator==(const Hello&, const Hello&) = default;
};

using Message = std::variant<Hello, Round, Answer, Refusal, Release, MarkRequest, MarkAnswer,
                             Recall, Memory, Question, Opinion>;

// A node accepts it from a witness; see engine.hpp, 16.
[[nodiscard]] bool is_word_of_witness(const Message& message);

}  // namespace vpnha::lease
