// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/voters.hpp"

#include <algorithm>
#include <iterator>

namespace vpnha::lease {

bool is_in(const std::vector<NodeId>& nodes, NodeId node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

bool VoterList::has(NodeId node) const {
    return is_in(nodes, node);
}

std::size_t VoterList::needed() const {
    return has_version() ? nodes.size() / 2 + 1 : nodes.size();
}

std::size_t VoterList::votes(const std::vector<NodeId>& of) const {
    return static_cast<std::size_t>(
        std::count_if(of.begin(), of.end(), [this](NodeId node) { return has(node); }));
}

bool VoterList::majority(const std::vector<NodeId>& of) const {
    return votes(of) >= needed();
}

std::vector<NodeId> without_witness(std::vector<NodeId> nodes) {
    std::erase_if(nodes, is_witness);
    return nodes;
}

bool is_sound(const VoterList& list) {
    const std::size_t witnesses = list.nodes.size() - without_witness(list.nodes).size();
    if (witnesses > 0 && (witnesses > 1 || !list.has(kWitness) ||
                          list.nodes.size() - witnesses > kNodesBesideWitness)) {
        return false;
    }
    const auto not_ascending = [](NodeId a, NodeId b) { return a >= b; };
    return !list.nodes.empty() && list.nodes.size() <= kVotersMax &&
           list.nodes.front() != NodeId{} &&
           std::adjacent_find(list.nodes.begin(), list.nodes.end(), not_ascending) ==
               list.nodes.end();
}

bool differ_by_one(const VoterList& a, const VoterList& b) {
    std::vector<NodeId> differing;
    std::set_symmetric_difference(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                                  std::back_inserter(differing));
    return differing.size() == 1;
}

bool Voters::newer_than(const Voters& other) const {
    if (newest().version != other.newest().version) {
        return newest().version > other.newest().version;
    }
    return !next && other.next;  // The same change, ended.
}

std::vector<NodeId> Voters::all() const {
    std::vector<NodeId> nodes = current.nodes;
    if (next) {
        nodes.insert(nodes.end(), next->nodes.begin(), next->nodes.end());
        std::sort(nodes.begin(), nodes.end());
        nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    }
    return nodes;
}

bool Voters::majority(const std::vector<NodeId>& of) const {
    return current.majority(of) && (!next || next->majority(of));
}

bool is_sound(const Voters& voters) {
    return is_sound(voters.current) &&
           (!voters.next ||
            (is_sound(*voters.next) && differ_by_one(voters.current, *voters.next) &&
             voters.next->version > voters.current.version));
}

}  // namespace vpnha::lease
