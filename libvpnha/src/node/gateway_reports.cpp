// SPDX-License-Identifier: GPL-2.0-or-later
// What Pacemaker is told before its own monitors find out. Standbys tell of the promoted node's
// vpnhad, by withdrawing its score: that it has died, which Corosync says at once, or that it
// stands still, which only its rounds show: it stays a member, and Pacemaker's monitor waits for
// its answer. The same when the lease's answers do not reach it: its claims go on, and it serves
// nobody. The promoted node tells of its services; one that is granted no lease gives the role away
// by its score, in case nobody else notices.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/gateway_node.hpp"

namespace vpnha::node {

namespace {

// One report moves the gateway; a second one would have Pacemaker think anew. More than it takes
// from a report to the next promotion.
constexpr Duration kReportPatience = std::chrono::seconds(3);

// For so long a claim that is answered may not be held yet: disks that are slow to take it.
constexpr Duration kClaimPatience = std::chrono::seconds(1);

// A standby that stands in is sooner than any report; only when none does, Pacemaker is to hear.
constexpr Duration kStandInPatience = std::chrono::milliseconds(500);

// Longer than a lame node keeps the lease (2 s), and than a node that has just started abstains.
constexpr Duration kUnleasedPatience = std::chrono::seconds(4);

}  // namespace

void GatewayNode::on_process_died(NodeId member, TimePoint now) {
    stand_in_.on_died(member);
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

void GatewayNode::watch_voters(TimePoint now, Effects& effects) {
    for (const VoterWatch::News& news : voter_watch_.on_tick(lease_, now)) {
        const std::string left = fmt::format("{} voters={} reserve={}", tag(),
                                             lease_.state().voters.all().size(), reserve());
        // Who is no member has been told of by Corosync.
        const Level level =
            !news.counts && members_.contains(news.node) ? Level::warning : Level::info;
        effects.emplace_back(Log{
            level, news.counts
                       ? fmt::format("the vote of node {} counts again event=vote-back {}",
                                     news.node.value, left)
                       : fmt::format("the vote of node {} does not count here event=vote-lost {}",
                                     news.node.value, left)});
    }
    for (const NodeId node : lease_.state().voters.all()) {
        if (node != self_) {
            effects.emplace_back(SendLease{settings_.id, node, lease::Hello{}});
        }
    }
}

void GatewayNode::note_holder() {
    const lease::Voter::Promise& promise = lease_.voter().state().promise;
    if (promise.epoch <= replica_.epoch()) {
        // It has held this one: it has told the group so.
        heard_until_ = promise.until;
    } else if (heard_epoch_ != promise.epoch) {
        // Claims alone are no sign of service: a holder repeats them for as long as it is not
        // granted the lease.
        heard_until_ = promise.until + kClaimPatience;
    }
    heard_epoch_ = promise.epoch;
}

bool GatewayNode::listens_to_holder() const {
    // Only who has heard this epoch before can miss it. A holder that has released its lease, or
    // waits for a majority, is no case for Pacemaker. One that claims a higher epoch, is answered,
    // and does not hold it, is: the answers do not reach it.
    const lease::Voter::Promise& promise = lease_.voter().state().promise;
    const std::optional<NodeId> holder = replica_.holder();
    return attached_ && replica_.quorate() && holder && *holder != self_ &&
           promise.epoch >= replica_.epoch() && promise.epoch.node == *holder &&
           !promise.released && heard_epoch_ == promise.epoch;
}

bool GatewayNode::is_holder_unheard(TimePoint now) const {
    return listens_to_holder() && now >= heard_until_;
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
        const Duration patience = stand_in_.wanted() ? kStandInPatience : Duration{};
        report_ = Report{holder, false, report_time(holder, now) + patience};
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
    const std::string_view what = report_->died ? "has died"
                                  : heard_epoch_ > replica_.epoch()
                                      ? "claims the lease, and hears no answer"
                                      : "stands still";
    effects.emplace_back(Log{
        Level::warning,
        fmt::format("vpnhad of {} {}; Pacemaker is told event=reported {}", name, what, tag())});
    effects.emplace_back(WithdrawScore{settings_.id, resource_, name});
    reported_ = replica_.epoch();
    report_.reset();
}

std::optional<TimePoint> GatewayNode::next_look_at_holder() const {
    if (report_) {
        return report_->at;
    }
    if (holder_unheard_ || !listens_to_holder()) {
        return std::nullopt;
    }
    return heard_until_;
}

void GatewayNode::watch_own_lease(TimePoint now, Effects& effects) {
    // Another node could be granted the lease without this one's vote: only then a move helps.
    std::vector<NodeId> others;
    for (const NodeId node : lease_.state().voters.all()) {
        if (node != self_ && members_.contains(node)) {
            others.push_back(node);
        }
    }
    if (takeover_.state() != takeover::State::promoted || lease_.holder().serving() ||
        !replica_.quorate() || !lease_.state().voters.majority(others) || acting()) {
        unleased_since_.reset();
        gives_role_away_ = false;
        return;
    }
    if (!unleased_since_) {
        unleased_since_ = now;
    }
    const auto best = best_standby();
    if (gives_role_away_ || !best || now < *unleased_since_ + kUnleasedPatience) {
        return;
    }
    gives_role_away_ = true;
    ++counters_.unanswered;
    effects.emplace_back(
        Log{Level::warning,
            fmt::format(
                "a majority of the voters are members, and this node has been granted no "
                "lease for {} s: the gateway is given away, node {} is in sync "
                "event=unanswered {}",
                std::chrono::duration_cast<std::chrono::seconds>(now - *unleased_since_).count(),
                best->first.value, tag())});
}

std::optional<TimePoint> GatewayNode::next_look_at_own_lease() const {
    if (!unleased_since_ || gives_role_away_ || !best_standby()) {
        return std::nullopt;
    }
    return *unleased_since_ + kUnleasedPatience;
}

}  // namespace vpnha::node
