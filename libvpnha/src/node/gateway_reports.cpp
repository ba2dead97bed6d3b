// SPDX-License-Identifier: GPL-2.0-or-later
// What Pacemaker is told before its own monitors find out. Standbys tell of the promoted node's
// vpnhad, by withdrawing its score: that it has died, which Corosync says at once, or that it
// stands still, which only its rounds show: it stays a member, and Pacemaker's monitor waits for
// its answer. The promoted node tells of its services.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/gateway_node.hpp"

namespace vpnha::node {

namespace {

// One report moves the gateway; a second one would have Pacemaker think anew. More than it takes
// from a report to the next promotion.
constexpr Duration kReportPatience = std::chrono::seconds(3);

}  // namespace

void GatewayNode::on_process_died(NodeId member, TimePoint now) {
    if (attached_ && !resource_.empty() && replica_.holder() == member &&
        reported_ != replica_.epoch()) {
        report_ = Report{member, true, report_time(member, now)};
    }
}

TimePoint GatewayNode::report_time(NodeId holder, TimePoint now) const {
    // The lowest standby reports, and the next one only if nothing comes of it. All that have the
    // gateway count, for that is what all nodes know alike: a standby that is not complete can
    // report, and is not to report beside one that is.
    const auto& peers = replica_.peers();
    const auto before = std::count_if(peers.begin(), peers.end(), [&](const auto& peer) {
        return peer.first < self_ && peer.first != holder;
    });
    return now + before * kReportPatience;
}

void GatewayNode::on_service_died(const std::string& resource, const std::string& name,
                                  Effects& effects) {
    if (takeover_.state() != takeover::State::promoted) {
        return;
    }
    effects.emplace_back(
        Log{Level::error,
            fmt::format("{} has died; Pacemaker is told event=service-died {}", resource, tag())});
    effects.emplace_back(ReportFailure{settings_.id, resource, name});
}

bool GatewayNode::is_holder_unheard(TimePoint now) const {
    // Only who has heard this epoch before can miss it. A holder that has released its lease, or
    // waits for a majority, is no case for Pacemaker.
    const lease::Voter::Promise& promise = lease_.voter().state().promise;
    const std::optional<NodeId> holder = replica_.holder();
    return attached_ && replica_.quorate() && holder && *holder != self_ &&
           promise.epoch == replica_.epoch() && promise.epoch.node == *holder &&
           !promise.released && now >= promise.until;
}

bool GatewayNode::is_holder_unheard_by_majority() const {
    std::vector<NodeId> deaf;
    if (holder_unheard_) {
        deaf.push_back(self_);
    }
    for (const auto& [node, state] : replica_.peers()) {
        if (state.unheard && state.epoch == replica_.epoch()) {
            deaf.push_back(node);
        }
    }
    std::sort(deaf.begin(), deaf.end());
    return lease_.state().voters.majority(deaf);
}

void GatewayNode::watch_holder(TimePoint now, Effects& effects) {
    holder_unheard_ = is_holder_unheard(now);
    if (holder_unheard_ && !report_ && !resource_.empty() && reported_ != replica_.epoch() &&
        is_holder_unheard_by_majority()) {
        const NodeId holder = *replica_.holder();
        report_ = Report{holder, false, report_time(holder, now)};
    }
    if (!report_) {
        return;
    }
    // Somebody was promoted, or it speaks again.
    if (report_->died ? replica_.holder().has_value()
                      : !holder_unheard_ || !is_holder_unheard_by_majority()) {
        report_.reset();
        return;
    }
    if (now < report_->at) {
        return;
    }
    const std::string& name = member_names_[report_->holder];
    effects.emplace_back(
        Log{Level::warning, fmt::format("vpnhad of {} {}; Pacemaker is told event=reported {}",
                                        name, report_->died ? "has died" : "stands still", tag())});
    effects.emplace_back(WithdrawScore{settings_.id, resource_, name});
    reported_ = replica_.epoch();
    report_.reset();
}

std::optional<TimePoint> GatewayNode::next_look_at_holder() const {
    if (report_) {
        return report_->at;
    }
    const lease::Voter::Promise& promise = lease_.voter().state().promise;
    if (holder_unheard_ || !replica_.holder() || promise.epoch != replica_.epoch() ||
        promise.released || replica_.promoted()) {
        return std::nullopt;
    }
    return promise.until;
}

}  // namespace vpnha::node
