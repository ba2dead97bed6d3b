// SPDX-License-Identifier: GPL-2.0-or-later
// The lists of voters. A list has a version. A change adds or removes exactly one node, and a
// holder leads it:
//
//   1  the holder puts the next list beside its own; from here on it needs a majority of both
//   2  a node that receives a newer list takes it over before it answers: the list and the fence
//      marks of its sender are on disk together
//   3  a round answered by majorities of both ends the change: the next list alone counts
//   4  an answer carries the voter's fence marks; the holder joins them to its own before it counts
//      the answer
//
// Why no two majorities miss each other: majorities of lists that differ by one node share a node.
// Nobody proceeds to a third list before majorities of the first and the second know the second;
// those refuse rounds by the first alone. A version names the epoch of its holder, so two holders
// never give one version to two lists, and the later of them wins.
//
// Why a mark outlives the list whose majority made it: a change to a later list needs answers from
// a majority of the list before. At least one of these voters has the mark. So the holder has the
// mark, too, when it ends the change, and saves it with the ended list. Every other node takes over
// the ended list and the mark together. So each node that votes by the later list alone has the
// mark. This is true of a victim that does not vote any more as well.
//
// To replace a node, remove it first, then add the other.
//
// The first list has no version: it is that of corosync.conf when this node had no memory. Nodes
// may have started with different ones, so a majority proves nothing: all nodes of a list without a
// version have to vote. The first grant gives it one, {its epoch, 0}. Why no two such lists are
// granted: they share a node, which is bound to the list by which it voted, on disk; or they share
// none, and are two clusters.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.hpp"

namespace vpnha::lease {

// Voters of a cluster: 7 survive the loss of 3. Bounds every datagram and every table of this
// layer.
inline constexpr std::size_t kVotersMax = 7;
// With fewer a majority is all, so nobody can stand in for a node that is not heard.
inline constexpr std::size_t kVotersToStandIn = 3;

// A voter that is no node (engine.hpp, 16). A cluster has at most one, so its id never changes; the
// ids up to kWitnessLast are kept for others.
inline constexpr NodeId kWitness{0xFFFF'0001};
inline constexpr NodeId kWitnessLast{0xFFFF'00FF};
[[nodiscard]] constexpr bool is_witness(NodeId node) {
    return node >= kWitness && node <= kWitnessLast;
}
// Nodes beside it. With more, a majority without the marker's vote may have marked a node. The
// holder that changes the list may then have only the witness's answer of these.
inline constexpr std::size_t kNodesBesideWitness = 2;

struct ListVersion {
    Epoch epoch;  // {}: no version, as configured.
    std::uint32_t change = 0;
    friend constexpr auto operator<=>(const ListVersion&, const ListVersion&) = default;
};

struct VoterList {
    ListVersion version;
    std::vector<NodeId> nodes;  // Ascending.

    [[nodiscard]] bool has(NodeId node) const;
    // It was used for a grant of the lease, or an administrator has confirmed it.
    [[nodiscard]] bool has_version() const { return version.epoch != Epoch{}; }
    // How many of them are a majority; without a version all of them.
    [[nodiscard]] std::size_t needed() const;
    // How many of these nodes are in the list.
    [[nodiscard]] std::size_t votes(const std::vector<NodeId>& of) const;
    [[nodiscard]] bool majority(const std::vector<NodeId>& of) const;
    friend bool operator==(const VoterList&, const VoterList&) = default;
};

[[nodiscard]] bool is_in(const std::vector<NodeId>& nodes, NodeId node);

[[nodiscard]] std::vector<NodeId> without_witness(std::vector<NodeId> nodes);

// 1 to kVotersMax nodes, ascending, none twice, none 0; kWitness beside two nodes at most.
[[nodiscard]] bool is_sound(const VoterList& list);
// One of them has exactly one node more.
[[nodiscard]] bool differ_by_one(const VoterList& a, const VoterList& b);

struct Voters {
    VoterList current;
    std::optional<VoterList> next;  // While a change is under way.

    [[nodiscard]] const VoterList& newest() const { return next ? *next : current; }
    // A round by one of these lists is a round by `list`.
    [[nodiscard]] bool include(const VoterList& list) const {
        return current == list || next == list;
    }
    [[nodiscard]] bool newer_than(const Voters& other) const;
    [[nodiscard]] std::vector<NodeId> all() const;  // Of both lists, ascending.
    [[nodiscard]] bool has(NodeId node) const {
        return current.has(node) || (next && next->has(node));
    }
    [[nodiscard]] bool majority(const std::vector<NodeId>& of) const;
    friend bool operator==(const Voters&, const Voters&) = default;
};

// Both lists are sound, and differ by one.
[[nodiscard]] bool is_sound(const Voters& voters);

}  // namespace vpnha::lease
