// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/holder_watch.hpp"

#include <algorithm>
#include <vector>

namespace vpnha::node {

namespace {

// One report moves the gateway; after a second one Pacemaker would decide again. This is longer
// than the time from a report to the next promotion.
constexpr Duration kReportPatience = std::chrono::seconds(3);

// An answered claim may take so long until it is held: disks may be slow.
constexpr Duration kUnheldPatience = std::chrono::seconds(1);

// How often the witness is asked. Its answer counts until three of them are lost.
constexpr Duration kWitnessInterval = std::chrono::milliseconds(300);
constexpr Duration kWordOfWitness = std::chrono::milliseconds(1000);

// A standby that stands in is faster than any report, even if it waits for a machine that is alive
// (holder_pulse.hpp). Pacemaker is informed only if no standby does so.
constexpr Duration kStandInPatience = std::chrono::milliseconds(1000);

}  // namespace

void HolderWatch::on_process_died(NodeId member, const Sight& sight, TimePoint now) {
    if (sight.attached && sight.reports && sight.replica.holder() == member &&
        reported_ != sight.replica.epoch()) {
        waiting_ = Waiting{member, true, turn(member, sight, now)};
        died_in_ = sight.replica.epoch();
    }
}

TimePoint HolderWatch::turn(NodeId holder, const Sight& sight, TimePoint now) {
    // The lowest standby reports, and the next one only if that has no effect. All nodes with the
    // gateway count, because all nodes know these alike. So an incomplete standby can report, but
    // must not do so beside a complete one.
    const auto& peers = sight.replica.peers();
    const auto before = std::count_if(peers.begin(), peers.end(), [&](const auto& peer) {
        return peer.first < sight.self && peer.first != holder;
    });
    return now + before * kReportPatience;
}

void HolderWatch::note(const Sight& sight) {
    const lease::Voter::Promise& promise = sight.lease.voter().state().promise;
    if (promise.epoch <= sight.replica.epoch()) {
        // The holder has held this epoch: it has announced it to the group.
        received_until_ = promise.until;
    } else if (received_epoch_ != promise.epoch) {
        // Claims alone are no sign of service: a holder repeats them for as long as it is not
        // granted the lease.
        received_until_ = promise.until + kUnheldPatience;
    }
    received_epoch_ = promise.epoch;
}

bool HolderWatch::listens(const Sight& sight) const {
    // Only a node that has received this epoch can miss it. An ordered release of the lease needs
    // no report to Pacemaker. A holder needs one if it claims a higher epoch, is answered
    // and still does not hold it: the answers do not reach it.
    const replica::Replica& replica = sight.replica;
    const lease::Voter::Promise& promise = sight.lease.voter().state().promise;
    const std::optional<NodeId> holder = replica.holder();
    if (!holder || *holder == sight.self) {
        return false;
    }
    // Pacemaker has not promoted a node that stands in.
    const auto peer = replica.peers().find(*holder);
    const bool stands_in = peer != replica.peers().end() && peer->second.stands_in;
    return sight.attached && replica.quorate() && !stands_in && promise.epoch >= replica.epoch() &&
           promise.epoch.node == *holder &&
           !sight.lease.voter().ended_by_order(sight.replica.epoch()) &&
           received_epoch_ == promise.epoch;
}

bool HolderWatch::asks_witness(const Sight& sight, TimePoint now) const {
    return unreceived_ && now >= witness_.next_at &&
           sight.lease.state().voters.has(lease::kWitness);
}

void HolderWatch::on_asked(std::uint64_t number, TimePoint now) {
    witness_.number = number;
    witness_.next_at = now + kWitnessInterval;
}

void HolderWatch::on_word_of_witness(const lease::Message& message, TimePoint now) {
    const auto* const opinion = std::get_if<lease::Opinion>(&message);
    if (opinion == nullptr || opinion->id.number != witness_.number) {
        return;
    }
    const bool misses_it = unreceived_ && opinion->verdict == lease::Verdict::answered;
    witness_.missed_until = misses_it ? now + kWordOfWitness : TimePoint{};
}

bool HolderWatch::is_silent_to_majority(const Sight& sight, TimePoint now) const {
    std::vector<NodeId> deaf;
    if (unreceived_) {
        deaf.push_back(sight.self);
    }
    for (const auto& [node, state] : sight.replica.peers()) {
        if (state.unreceived && state.epoch == sight.replica.epoch()) {
            deaf.push_back(node);
        }
    }
    if (now < witness_.missed_until) {
        deaf.push_back(lease::kWitness);
    }
    std::sort(deaf.begin(), deaf.end());
    return sight.lease.state().voters.majority(deaf);
}

std::optional<HolderWatch::Report> HolderWatch::look(const Sight& sight, TimePoint now) {
    unreceived_ = listens(sight) && now >= received_until_;
    if (!unreceived_) {
        witness_ = {};
    }
    if (unreceived_ && !waiting_ && sight.reports && reported_ != sight.replica.epoch() &&
        is_silent_to_majority(sight, now)) {
        const NodeId holder = *sight.replica.holder();
        const Duration patience = sight.stand_in ? kStandInPatience : Duration{};
        waiting_ = Waiting{holder, false, turn(holder, sight, now) + patience};
    }
    if (!waiting_) {
        return std::nullopt;
    }
    // A node was promoted, or the holder sends again.
    if (waiting_->died ? sight.replica.holder().has_value()
                       : !unreceived_ || !is_silent_to_majority(sight, now)) {
        waiting_.reset();
        return std::nullopt;
    }
    if (now < waiting_->at) {
        return std::nullopt;
    }
    const Report report{waiting_->holder, waiting_->died, received_epoch_ > sight.replica.epoch()};
    reported_ = sight.replica.epoch();
    waiting_.reset();
    return report;
}

std::optional<TimePoint> HolderWatch::next_deadline(const Sight& sight) const {
    std::optional<TimePoint> next = waiting_ ? std::optional(waiting_->at) : std::nullopt;
    if (unreceived_) {
        const bool has_witness = sight.lease.state().voters.has(lease::kWitness);
        return has_witness ? earliest(next, witness_.next_at) : next;
    }
    return waiting_ || !listens(sight) ? next : std::optional(received_until_);
}

}  // namespace vpnha::node
