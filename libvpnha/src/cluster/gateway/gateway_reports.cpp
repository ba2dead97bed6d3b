// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vpnha::node {

void GatewayReports::on_process_died(NodeId member, TimePoint now, Effects& effects) {
    holder_.on_process_died(member, parts_.view.sight(), now);
    const auto& peers = parts_.replica.peers();
    const bool is_lowest = std::none_of(peers.begin(), peers.end(), [&](const auto& peer) {
        return peer.first < self() && peer.first != member;
    });
    if (!parts_.attachment.attached() || parts_.attachment.resource().empty() || !is_lowest ||
        !peers.contains(member) || parts_.replica.holder() == member) {
        return;
    }
    const std::string name = parts_.members.name(member);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("vpnhad of {} has died; its promotion score is withdrawn event=reported {}",
                        name, tag())});
    effects.emplace_back(WithdrawScore{parts_.settings.id, parts_.attachment.resource(), name});
}

void GatewayReports::on_service_died(const std::string& resource, const std::string& name,
                                     Effects& effects) {
    if (parts_.view.state() != takeover::State::promoted) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("{} has died; Pacemaker is notified event=service-died {}", resource, tag())});
    effects.emplace_back(ReportFailure{parts_.settings.id, resource, name});
    if (parts_.settings.stand_in) {
        // The sessions of a stock daemon died with it. A standby is faster than Pacemaker.
        parts_.lease.engine().yield(lease::Yields::to_anybody, std::nullopt);
    }
}

void GatewayReports::log_lost(NodeId sender, const wire::SnapshotEnd& end, Effects& effects) const {
    const std::vector<wire::RecordKey> lost = parts_.replica.lost_by(sender, end);
    if (lost.empty()) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("this node removes {} sessions, because node {} was promoted without them: its "
                    "replica was not complete event=sessions-lost {}",
                    lost.size(), sender.value, tag())});
    const std::set<wire::RecordKey> keys(lost.begin(), lost.end());
    for (const keepers::SessionView& session : parts_.keepers.sessions({})) {
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

std::optional<HolderWatch::Report> GatewayReports::look(TimePoint now) {
    return holder_.look(parts_.view.sight(), now);
}

bool GatewayReports::asks_witness(TimePoint now) const {
    return holder_.asks_witness(parts_.view.sight(), now);
}

void GatewayReports::on_asked(TimePoint now) {
    holder_.on_asked(parts_.lease.engine().state().questions, now);
}

void GatewayReports::send(const HolderWatch::Report& report, Effects& effects) const {
    const std::string name = parts_.members.name(report.holder);
    const std::string_view what = report.died     ? "has died"
                                  : report.claims ? "claims the lease, and receives no answer"
                                                  : "stands still";
    effects.emplace_back(Log{LogLevel::warning,
                             fmt::format("vpnhad of {} {}; Pacemaker is notified event=reported {}",
                                         name, what, tag())});
    effects.emplace_back(WithdrawScore{parts_.settings.id, parts_.attachment.resource(), name});
}

}  // namespace vpnha::node
