// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/stand_in.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

// The voters' promises end at nearly the same time.
constexpr Duration kGuard = std::chrono::milliseconds(2);
// A majority was willing a moment ago. If the claim is not granted, another node may do better.
// This node's disk has so long first, then the voters have, whose disks wait for it.
constexpr Duration kClaimPatience = std::chrono::milliseconds(500);
// After so long without a quorate ring, Corosync and the lease disagree.
constexpr Duration kPatience = std::chrono::seconds(2);
// A claim is a datagram. This is longer than one is in flight and waits for a busy node.
constexpr Duration kStaleClaims = std::chrono::milliseconds(500);
// A dead holder has left the group, or leaves it soon, when the group learns about this node.
constexpr Duration kNotifyAfter = std::chrono::milliseconds(100);
constexpr Duration kLong = std::chrono::seconds(10);
// The next standby may be able to serve where the last one was not. Two nodes that stand still in
// turn must not pass the gateway to each other while a third node can have it.
constexpr Duration kLast = std::chrono::seconds(10);
// Without another standby, this node may try again. Each other standby has asked by then: it waits
// for its rank, and at most 0.4 s from one question to the next.
constexpr Duration kRetry = std::chrono::seconds(1);
// How long a promoted node that another one stands in for reports what Pacemaker expects.
constexpr Duration kDeposed = std::chrono::seconds(10);

}  // namespace

std::size_t StandIn::rank(std::vector<NodeId> candidates, const std::set<NodeId>& busy, NodeId self,
                          GatewayId gateway) {
    std::sort(candidates.begin(), candidates.end());
    const auto first = static_cast<std::ptrdiff_t>(gateway.value % candidates.size());
    std::rotate(candidates.begin(), candidates.begin() + first, candidates.end());
    std::stable_partition(candidates.begin(), candidates.end(),
                          [&busy](NodeId node) { return !busy.contains(node); });
    const auto at = std::find(candidates.begin(), candidates.end(), self);
    VPNHA_ASSERT(at != candidates.end());
    return static_cast<std::size_t>(at - candidates.begin());
}

std::set<NodeId> StandIn::busy(const std::map<GatewayId, NodeId>& holders, GatewayId gateway) {
    std::set<NodeId> busy;
    for (const auto& [id, node] : holders) {
        if (id != gateway) {
            busy.insert(node);
        }
    }
    return busy.contains(holders.at(gateway)) ? std::set<NodeId>{} : busy;
}

void StandIn::note_turn(const std::optional<Turn>& turn, TimePoint now) {
    if (!turn) {
        able_since_.reset();
        released_at_.reset();
        return;
    }
    able_since_ = able_since_.value_or(now);
    released_at_ = turn->released ? std::optional(released_at_.value_or(now)) : std::nullopt;
    if (acted_at_ && now >= *acted_at_ + kLast) {
        acted_at_.reset();
    }
}

std::optional<TimePoint> StandIn::due(const std::optional<Turn>& turn, Duration step) const {
    if (!turn || !able_since_ || phase_ != Phase::idle) {
        return std::nullopt;
    }
    const TimePoint free = turn->released && released_at_ ? *released_at_ : turn->promised_until;
    const bool is_last = acted_at_ || deposed();
    const auto places = static_cast<Duration::rep>(turn->rank + (is_last ? turn->candidates : 0));
    return std::max({free, turn->waits_until, *able_since_, not_before_}) + kGuard + places * step;
}

void StandIn::begin(NodeId holder, TimePoint now) {
    VPNHA_ASSERT(phase_ == Phase::idle);
    phase_ = Phase::asks;
    holder_ = holder;
    since_ = now;
    barrier_came_ = false;
    follows_since_.reset();
    claim_until_.reset();
    claim_emitted_ = false;
    unsound_since_.reset();
}

bool StandIn::claims_in_vain(bool emitted, TimePoint now) {
    if (!claim_until_ || (emitted && !claim_emitted_)) {
        claim_until_ = now + kClaimPatience;
    }
    claim_emitted_ = claim_emitted_ || emitted;
    return now >= *claim_until_;
}

void StandIn::on_granted(TimePoint now, bool reported) {
    VPNHA_ASSERT(phase_ == Phase::asks);
    phase_ = Phase::serves;
    since_ = now;
    reported_ = reported;
    acted_at_ = now;
    long_at_ = now + kLong;
}

void StandIn::on_notified(TimePoint now) {
    VPNHA_ASSERT(phase_ == Phase::serves || phase_ == Phase::confirmed);
    if (phase_ == Phase::confirmed) {
        phase_ = Phase::idle;
        return;
    }
    phase_ = Phase::stands_in;
    notify_at_ = now + kNotifyAfter;
}

void StandIn::on_promoted() {
    phase_ = phase_ == Phase::serves || phase_ == Phase::confirmed ? Phase::confirmed : Phase::idle;
    long_at_.reset();
    notify_at_.reset();
    acted_at_.reset();
    not_before_ = {};
    undepose();
}

void StandIn::end() {
    phase_ = Phase::idle;
    released_by_order_ = false;
    long_at_.reset();
    notify_at_.reset();
}

void StandIn::fail(TimePoint now) {
    const bool by_order = released_by_order_;
    end();
    released_by_order_ = by_order;  // Until the gate is shut.
    not_before_ = now + kRetry;
}

void StandIn::on_yielding(NodeId node, bool yields, TimePoint now) {
    const bool known = yielding_ && yielding_->node == node;
    if (yields && !known) {
        yielding_ = Yielding{node, now};
    } else if (!yields && known) {
        yielding_.reset();
    }
}

std::optional<TimePoint> StandIn::yielded_at(NodeId node) const {
    return yielding_ && yielding_->node == node ? std::optional(yielding_->since) : std::nullopt;
}

void StandIn::on_holder(bool follows, TimePoint now) {
    if (!follows) {
        follows_since_.reset();
    } else if (!follows_since_) {
        follows_since_ = now;
    }
}

bool StandIn::may_have_it_back(TimePoint now) const {
    return follows_since_ && now >= *follows_since_ + kStaleClaims;
}

StandIn::Reason StandIn::over(bool sound, TimePoint now) {
    if (!unconfirmed() && phase_ != Phase::confirmed) {
        return {};
    }
    if (phase_ != Phase::stands_in) {
        return now >= since_ + kPatience ? "no quorate ring has formed" : Reason{};
    }
    if (sound) {
        unsound_since_.reset();
    } else if (!unsound_since_) {
        unsound_since_ = now;
    }
    return unsound_since_ && now >= *unsound_since_ + kPatience
               ? "it was without quorum or a lease for too long"
               : Reason{};
}

bool StandIn::takes_long(TimePoint now) {
    if (!long_at_ || now < *long_at_) {
        return false;
    }
    long_at_.reset();
    return true;
}

bool StandIn::notifies(TimePoint now) {
    if (!notify_at_ || now < *notify_at_) {
        return false;
    }
    notify_at_.reset();
    return !reported_ && holder_ == promoted_;
}

std::optional<TimePoint> StandIn::next_deadline() const {
    std::optional<TimePoint> at = earliest(earliest(notify_at_, long_at_), deposed_until_);
    if (phase_ == Phase::asks) {
        at = earliest(at, claim_until_);
    } else if (phase_ == Phase::serves || phase_ == Phase::confirmed) {
        at = earliest(at, since_ + kPatience);
    } else if (unsound_since_ && phase_ == Phase::stands_in) {
        at = earliest(at, *unsound_since_ + kPatience);
    }
    return at;
}

void StandIn::depose(TimePoint now) {
    deposed_until_ = now + kDeposed;
}

void StandIn::forget_deposal(TimePoint now) {
    if (deposed_until_ && now >= *deposed_until_) {
        deposed_until_.reset();
    }
}

}  // namespace vpnha::node
