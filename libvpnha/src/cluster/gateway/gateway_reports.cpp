// SPDX-License-Identifier: GPL-2.0-or-later
// What Pacemaker is told before its own monitors find out. Standbys tell of the promoted node's
// vpnhad (watch/holder_watch.hpp), by withdrawing its score. The lowest node that has the gateway
// withdraws the score of any other node whose vpnhad has died, so that Pacemaker does not promote
// it next. The promoted node tells of its services; one that is granted no lease gives the role
// away by its score, in case nobody else notices.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

void GatewayNode::on_process_died(NodeId member, TimePoint now, Effects& effects) {
    others_.holder.on_process_died(member, sight(), now);
    const auto& peers = replica_.peers();
    const bool is_lowest = std::none_of(peers.begin(), peers.end(), [&](const auto& peer) {
        return peer.first < self() && peer.first != member;
    });
    if (!attached() || attachment_.resource().empty() || !is_lowest || !peers.contains(member) ||
        replica_.holder() == member) {
        return;
    }
    const std::string name = others_.members.name(member);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("vpnhad of {} has died; its promotion score is withdrawn event=reported {}",
                        name, tag())});
    effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(), name});
}

HolderWatch::Sight GatewayNode::sight() const {
    return {self(),
            replica_,
            saved_.engine(),
            attached(),
            !attachment_.resource().empty(),
            stand_in_.wanted()};
}

void GatewayNode::on_service_died(const std::string& resource, const std::string& name,
                                  Effects& effects) {
    if (takeover_.state() != takeover::State::promoted) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("{} has died; Pacemaker is notified event=service-died {}", resource, tag())});
    effects.emplace_back(ReportFailure{settings_.id, resource, name});
    if (stand_in_.wanted()) {
        // What a stock daemon carried has died with it: a standby is sooner than Pacemaker.
        saved_.engine().yield(lease::Yields::to_anybody, std::nullopt);
    }
}

void GatewayNode::log_lost(NodeId sender, const wire::SnapshotEnd& end, Effects& effects) const {
    const std::vector<wire::RecordKey> lost = replica_.lost_by(sender, end);
    if (lost.empty()) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("this node removes {} sessions, because node {} was promoted without them: its "
                    "replica was not complete event=sessions-lost {}",
                    lost.size(), sender.value, tag())});
    const std::set<wire::RecordKey> keys(lost.begin(), lost.end());
    for (const keepers::SessionView& session : keepers_.sessions({})) {
        if (keys.contains(session.record)) {
            effects.emplace_back(
                Log{LogLevel::error,
                    fmt::format("session lost event=lost {} session={} user={} address={} peer={}: "
                                "node {} was promoted without it",
                                tag(), keepers::session_id(session.record), session.user,
                                session.address, session.peer, sender.value)});
        }
    }
}

void GatewayNode::watch_holder(TimePoint now, Effects& effects) {
    const std::optional<HolderWatch::Report> report = others_.holder.look(sight(), now);
    if (others_.holder.asks_witness(sight(), now)) {
        voters_.ask_witness(effects);
        others_.holder.on_asked(saved_.engine().state().questions, now);
        drain(now, effects);
    }
    if (!report) {
        return;
    }
    const std::string name = others_.members.name(report->holder);
    const std::string_view what = report->died     ? "has died"
                                  : report->claims ? "claims the lease, and hears no answer"
                                                   : "stands still";
    effects.emplace_back(Log{LogLevel::warning,
                             fmt::format("vpnhad of {} {}; Pacemaker is notified event=reported {}",
                                         name, what, tag())});
    effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(), name});
}

void GatewayNode::watch_own_lease(TimePoint now, Effects& effects) {
    // Another node could be granted the lease without this one's vote: only then a move helps.
    std::vector<NodeId> others;
    for (const NodeId node : saved_.engine().state().voters.all()) {
        const bool is_there = lease::is_witness(node) ? voters_.witness().is_heard(now)
                                                      : others_.members.contains(node);
        if (node != self() && is_there) {
            others.push_back(node);
        }
    }
    const bool lacks = takeover_.state() == takeover::State::promoted &&
                       !saved_.engine().holder().serving() && replica_.quorate() &&
                       saved_.engine().state().voters.majority(others) && !stands_in();
    const auto best = best_standby();
    if (wishes_.own_lease.look(lacks, best.has_value(), now)) {
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format(
                    "a majority of the voters are members, and this node has been granted no lease "
                    "for {} s: the gateway is given away, node {} is in sync event=unanswered {}",
                    std::chrono::duration_cast<std::chrono::seconds>(wishes_.own_lease.lacking(now))
                        .count(),
                    best->first.value, tag())});
    }
}

}  // namespace vpnha::node
