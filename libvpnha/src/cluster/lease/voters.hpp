// SPDX-License-Identifier: GPL-2.0-or-later
// Who votes. A list has a version; a change of it adds or removes exactly one node and is led by a
// holder:
//
//   1  the holder puts the next list beside its own; from here on it needs a majority of both
//   2  a node that receives a newer list takes it over before it answers: the list and the fence
//      marks of its sender are on disk together
//   3  a round answered by majorities of both ends the change: the next list alone counts
//   4  an answer carries the voter's fence marks; the holder joins them to its own before it counts
//      the answer
//
// Why no two majorities miss each other: majorities of lists that differ by one node share a node,
// and nobody gets as far as a third list before majorities of the first and the second know the
// second; those refuse whoever asks by the first alone. A version names the epoch of its holder, so
// that two holders never give one version to two lists, and the later of them wins.
//
// Why a mark outlives the list whose majority made it: a change to a later list needs answers from
// a majority of the list before. At least one of these voters has the mark. So the holder has the
// mark, too, when it ends the change, and saves it with the ended list. Every other node takes over
// the ended list and the mark together. So each node that votes by the later list alone has the
// mark. This is true of a victim that does not vote any more as well.
//
// To replace a node, remove it first, then add the other.
//
// The first list has no version: it is what corosync.conf said when this node had no memory. Nodes
// may have started with different ones, so a majority proves nothing: of a list without a version
// all nodes have to vote. The first grant gives it one, {its epoch, 0}. Why no two such lists are
// granted: they share a node, which is bound to the one that it voted by, on disk; or they share
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
// Of fewer a majority is all, so nobody can stand in for the one that is not heard.
inline constexpr std::size_t kVotersToStandIn = 3;

// A voter that is no node (engine.hpp, 16). A cluster has one at most, so its id never changes; the
// ids up to kWitnessLast are kept for others.
inline constexpr NodeId kWitness{0xFFFF'0001};
inline constexpr NodeId kWitnessLast{0xFFFF'00FF};
[[nodiscard]] constexpr bool is_witness(NodeId node) {
    return node >= kWitness && node <= kWitnessLast;
}
// Nodes beside it. Of more a majority without the marker's vote may have marked a node, and the
// holder that changes the list may have had the witness's answer alone of these.
inline constexpr std::size_t kNodesBesideWitness = 2;

struct ListVersion {
    Epoch epoch;  // {}: no version, as the configuration says.
    std::uint32_t change = 0;
    friend constexpr auto operator<=>(const ListVersion&, const ListVersion&) = default;
};

struct VoterList {
    ListVersion version;
    std::vector<NodeId> nodes;  // Ascending.

    [[nodiscard]] bool has(NodeId node) const;
    // Somebody was granted the lease by it, or an administrator has spoken for it.
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
    // Whoever asks in the name of these asks in the name of `list`.
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
