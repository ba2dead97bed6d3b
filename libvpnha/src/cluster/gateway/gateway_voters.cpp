// SPDX-License-Identifier: GPL-2.0-or-later
// Who votes on the gateway's lease: the list of voters, deaths that are confirmed, fence marks.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

namespace {

// So long a vpnhad abstains after its start, and asks what it does not remember; and a bit.
constexpr Duration kVoterSettle = std::chrono::seconds(1);

}  // namespace

Result<void> GatewayNode::confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                       Effects& effects) {
    const lease::Voters& voters = lease_.state().voters;
    if (voters.has(lease::kWitness) && voters.has(victim)) {
        return confirm_dead_beside_witness(victim, by, now);
    }
    VPNHA_TRY(lease::Effects more, lease_.confirm_dead(victim, by, now));
    effects.emplace_back(Log{
        LogLevel::warning, fmt::format("node {} is confirmed dead: this node votes alone until it "
                                       "is heard event=alone {}",
                                       victim.value, tag())});
    take(std::move(more), effects);
    drain(now, effects);
    return {};
}

Result<void> GatewayNode::confirm_dead_beside_witness(NodeId victim, lease::Confirmed by,
                                                      TimePoint now) const {
    if (!others_.witness.is_heard(now)) {
        return fail(Errc::unreachable,
                    fmt::format("gateway {}: the voters are two nodes and a witness, and the "
                                "witness is not heard: no death takes its place; the gateway goes "
                                "on when the witness is back, or vpnhad of node {}",
                                settings_.name, victim.value));
    }
    // A device that is asked in each fencing of two nodes has done its part.
    return by == lease::Confirmed::by_device
               ? Result<void>{}
               : fail(Errc::unsupported,
                      fmt::format("gateway {}: the witness's vote is there, so nothing waits for "
                                  "the confirmation of a death",
                                  settings_.name));
}

Result<void> GatewayNode::vote_without(NodeId node, TimePoint now, Effects& effects) {
    VPNHA_TRY(lease::Effects more, lease_.vote_without(node, now));
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("this node waits no more for what node {} remembers: an "
                        "administrator said that it is nothing event=vote-without {}",
                        node.value, tag())});
    take(std::move(more), effects);
    drain(now, effects);
    return {};
}

Result<lease::BootId> GatewayNode::fenceable(NodeId victim, TimePoint now) const {
    const lease::Voters& voters = lease_.state().voters;
    const std::vector<NodeId> all = voters.all();
    if (voters.newest().nodes.size() < 3 ||
        std::find(all.begin(), all.end(), victim) == all.end()) {
        return fail(Errc::unsupported,
                    fmt::format("gateway {}: only one of three voters or more can be fenced by "
                                "marks; fence it by its power",
                                settings_.name));
    }
    const std::optional<lease::BootId> boot = lease_.newest_life_of(victim);
    if (!boot) {
        return fail(Errc::not_found,
                    fmt::format("gateway {}: vpnhad of node {} was not heard since this one "
                                "started, so the life to be fenced is not known; fence it by its "
                                "power",
                                settings_.name, victim.value));
    }
    VPNHA_CHECK(reach_markers(victim, now));
    return *boot;
}

Result<void> GatewayNode::reach_markers(NodeId victim, TimePoint now) const {
    if (!lease_.state().voters.has(lease::kWitness) || others_.witness.is_heard(now)) {
        return {};
    }
    return fail(Errc::unreachable,
                fmt::format("gateway {}: the witness is not heard, and of two nodes it decides "
                            "which one is marked; fence node {} by its power",
                            settings_.name, victim.value));
}

bool GatewayNode::is_answered(NodeId victim, TimePoint since, TimePoint now) const {
    const lease::Voter::Promise& promise = lease_.voter().state().promise;
    const bool by_self = promise.epoch.node == victim && !promise.released && now < promise.until;
    return by_self ||
           (lease_.state().voters.has(lease::kWitness) &&
            others_.witness.may_answer_other(since, settings_.lease.timing.abstention(), now));
}

void GatewayNode::ask_witness(TimePoint now, Effects& effects) {
    note_position();
    take(lease_.ask(lease::kWitness), effects);
    drain(now, effects);
}

Result<void> GatewayNode::fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                Effects& effects) {
    VPNHA_TRY(lease::Effects asked, lease_.fence(victim, boot, now));
    take(std::move(asked), effects);
    drain(now, effects);
    return {};
}

const lease::Engine::Fencing* GatewayNode::fencing(NodeId victim, const lease::BootId& boot) const {
    const std::optional<lease::Engine::Fencing>& fencing = lease_.state().fencing;
    return fencing && fencing->victim == victim && fencing->boot == boot ? &*fencing : nullptr;
}

void GatewayNode::set_voters(std::vector<NodeId> voters, TimePoint now, Effects& effects) {
    const std::vector<NodeId> before = leaving();
    settings_.lease.voters = std::move(voters);
    if (const std::vector<NodeId> nodes = leaving(); !nodes.empty() && nodes != before) {
        effects.emplace_back(Log{
            LogLevel::info,
            fmt::format("node {} is no longer in corosync.conf, and votes until the holder of the "
                        "lease has changed the voters: keep vpnhad running there until then "
                        "event=voters-leave {} nodes={}",
                        node_list(nodes), tag(), node_list(nodes))});
    }
    take(lease_.configure(settings_.lease.voters, now), effects);
    drain(now, effects);
}

std::vector<NodeId> GatewayNode::leaving() const {
    std::vector<NodeId> nodes = lease_.state().voters.all();
    std::erase_if(nodes,
                  [wanted = wanted_voters()](NodeId node) { return lease::is_in(wanted, node); });
    return nodes;
}

std::vector<NodeId> GatewayNode::wanted_voters() const {
    std::vector<NodeId> wanted = settings_.lease.voters;
    if (others_.witness.are_two()) {
        std::erase(wanted, lease::kWitness);
    }
    return wanted;
}

void GatewayNode::adapt_voters(TimePoint now, Effects& effects) {
    const lease::Voters& voters = lease_.state().voters;
    const std::vector<NodeId> wanted = wanted_voters();
    // Renewals by the list on the disk need no disk; by a new list they do.
    if (!saves_.work() || lease_.holder().phase() != lease::Phase::holding || voters.next ||
        voters.current.nodes == wanted) {
        return;
    }
    // One at a time: who is gone first, because whoever replaces it comes after it. Of several
    // first one that does not answer: the list without another one could need its vote.
    std::vector<NodeId> next = voters.current.nodes;
    std::vector<NodeId> gone = leaving();
    if (others_.witness.is_differing()) {
        std::erase(gone, lease::kWitness);
    }
    std::stable_partition(gone.begin(), gone.end(),
                          [&](NodeId node) { return !others_.voters.counts(node); });
    if (!gone.empty()) {
        std::erase(next, gone.front());
    } else {
        // A node that does not run yet, or abstains, would be a vote less: of 2 voters both have to
        // answer, of 4 three.
        const auto come = std::find_if(wanted.begin(), wanted.end(), [&](NodeId node) {
            const std::optional<TimePoint> since = others_.members.since(node);
            const bool is_settled = lease::is_witness(node) ? others_.witness.may_be_added(now)
                                                            : since && now >= *since + kVoterSettle;
            return is_settled && std::find(next.begin(), next.end(), node) == next.end();
        });
        if (come == wanted.end()) {
            return;
        }
        next.push_back(*come);
        std::sort(next.begin(), next.end());
    }
    if (Result<lease::Effects> changed = lease_.change_voters(next, now); changed) {
        take(std::move(*changed), effects);
    }
}

void GatewayNode::watch_lists(Effects& effects) {
    const std::vector<NodeId>& differing = lease_.state().differing;
    if (others_.voters.note_differing(differing) && !differing.empty()) {
        effects.emplace_back(
            Log{LogLevel::error,
                fmt::format("node {} goes by other voters than this node, and neither list is "
                            "newer: give all nodes the same nodelist in corosync.conf, and "
                            "restart vpnhad event=voters-differ {} nodes={}",
                            node_list(differing), tag(), node_list(differing))});
    }
}

}  // namespace vpnha::node
