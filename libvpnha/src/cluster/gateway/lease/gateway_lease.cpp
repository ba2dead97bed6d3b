// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/gateway_lease.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

// A promotion has 20 s. Its grant and its steps take at most three of them.
constexpr Duration kReplicaPatience = std::chrono::seconds(15);
// Two nodes that outbid each other are not to keep the gate shut.
constexpr Duration kClaimAbovePause = std::chrono::seconds(10);

}  // namespace

std::string GatewayLease::objection_to_claim() const {
    if (const auto better = parts_.replica.better()) {
        return fmt::format("its replica is not complete, and that of node {} is", better->value);
    }
    return parts_.replica.has_met_all() && !parts_.replica.may_be_less()
               ? ""
               : "a member has not reported what its replica has";
}

void GatewayLease::begin_grant(TimePoint now, Effects& effects) {
    // A draining holder serves meanwhile. A claim with fewer records than a member has would end
    // the other sessions on all nodes.
    if (const std::string objection = objection_to_claim(); !objection.empty()) {
        grants_.await_replica(now + kReplicaPatience);
        effects.emplace_back(
            Log{parts_.replica.better() ? LogLevel::warning : LogLevel::info,
                fmt::format("the promotion waits: {} event=promotion-waits {}", objection, tag())});
        return;
    }
    ask_for_grant(now);
}

void GatewayLease::continue_promoting(TimePoint now) {
    const std::optional<TimePoint> until = grants_.replica_awaited_until();
    if (!until) {
        return;
    }
    const std::string objection = objection_to_claim();
    const bool over = now >= *until;
    if (over && parts_.replica.better()) {
        refuse_grant(objection);
    } else if (over || objection.empty()) {
        // A member silent for so long may never report its records. The gateway must be served.
        grants_.end_replica_wait();
        ask_for_grant(now);
    }
}

void GatewayLease::ask_for_grant(TimePoint now) {
    // A promise to a dead holder ends within L·(1+ρ)+δ of its last round. A draining holder on a
    // busy node answers late, and is silent after this time. If this node gave up sooner,
    // Pacemaker would ban a node that is about to be granted the lease.
    grants_.await(now + parts_.settings.lease.timing.draining);
    engine().set_checkpoint({});  // Of an epoch before; warming knows better.
    engine().note_claimed(parts_.replica.highest_epoch());
    parts_.events.post(LeaseOrder::promote);
}

void GatewayLease::refuse_grant(const std::string& why) {
    grants_.end();
    parts_.transition.fail(fmt::format("grant: {}", why));
    parts_.events.post(LeaseOrder::demote);
    parts_.events.post(StepEnded{false});
}

void GatewayLease::on_time(TimePoint now, Effects& effects) {
    if (!grants_.awaited() || now < *grants_.awaited_until()) {
        return;
    }
    const lease::Voters& voters = engine().state().voters;
    const auto [present, missing] = parts_.voters.reach(now);
    const bool quorate = engine().state().quorate;
    if (quorate && !engine().remembers()) {
        // If the others were a majority without this node, their memories would have arrived by
        // now. So another node would not do better.
        const std::vector<NodeId> unnotified = engine().awaited();
        await_voters(!unnotified.empty() ? unnotified
                     : !missing.empty()  ? missing
                                         : voters.all(),
                     now, effects);
    } else if ((quorate && !engine().state().alone && !voters.majority(present)) ||
               (parts_.view.waits() && !quorate)) {
        await_voters(missing, now, effects);
    } else {
        refuse_grant("no majority of the voters granted it in time");
    }
}

void GatewayLease::await_voters(const std::vector<NodeId>& missing, TimePoint now,
                                Effects& effects) {
    grants_.await(now + parts_.settings.lease.timing.draining);
    if (!grants_.wait_in_silence()) {
        return;
    }
    // After a failure Pacemaker would stop this standby. That would end its sessions, which no
    // other node could serve either.
    const std::string names = voter_list(missing);
    const char* const two = engine().state().voters.newest().nodes.size() == 2
                                ? ", or confirmed dead (vpnha confirm-dead NODE --it-is-off)"
                                : "";
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format(
                "promoted and silent: {} event=waiting {} missing={}",
                engine().remembers()
                    ? fmt::format("without node {} no majority of the voters is left that could "
                                  "grant the lease, and save it; it continues when one is back{}",
                                  names, two)
                    : fmt::format("this node has no memory of the lease, and the first grant "
                                  "takes the votes of all; it waits for node {}",
                                  names),
                tag(), names)});
    parts_.transition.answer_early(effects);
}

Result<void> GatewayLease::claim(TimePoint now, Effects& effects) {
    if (!parts_.replica.quorate()) {
        return fail(Errc::unreachable, "quorum was lost");
    }
    if (grants_.epoch() <= parts_.replica.highest_epoch()) {
        return fail(Errc::busy, fmt::format("another node claimed epoch {} meanwhile",
                                            to_string(parts_.replica.highest_epoch())));
    }
    if (const auto better = parts_.replica.better(); better && !parts_.replica.promoted()) {
        return fail(Errc::busy, fmt::format("the replica of node {} is complete, and this one's "
                                            "is not",
                                            better->value));
    }
    for (replica::Effect& effect : parts_.replica.begin_epoch(grants_.epoch(), now)) {
        auto* const emitted = std::get_if<replica::Send>(&effect);
        VPNHA_ASSERT(emitted != nullptr);
        effects.emplace_back(SendToGroup{parts_.speech.encode(emitted->message)});
    }
    VPNHA_ASSERT(parts_.replica.promoted() && parts_.replica.epoch() == grants_.epoch());
    effects.emplace_back(Log{LogLevel::info, fmt::format("epoch claimed event=claimed {}", tag())});
    return {};
}

bool GatewayLease::claim_is_due() const {
    const lease::Holder& lease = engine().holder();
    return parts_.view.state() == takeover::State::promoted && parts_.replica.promoted() &&
           parts_.replica.quorate() && lease.serving() && lease.epoch() == grants_.epoch() &&
           grants_.epoch() > parts_.replica.epoch();
}

bool GatewayLease::claim_anew(TimePoint now, Effects& effects) {
    const Result<void> claimed = claim(now, effects);
    if (!claimed) {
        decline(claimed.error().detail, effects);
    }
    return claimed.has_value();
}

void GatewayLease::decline(const std::string& why, Effects& effects) {
    effects.emplace_back(
        Log{LogLevel::error, fmt::format("the new epoch is of no use {}: {}", tag(), why)});
    // The node that served must claim again as if this node had been granted nothing.
    parts_.events.post(LeaseOrder::decline);
    parts_.events.post(RoleLost{});
}

void GatewayLease::be_silent(lease::End why, Effects& effects) {
    effects.emplace_back(Log{
        LogLevel::warning, fmt::format("the lease ended event=lease-ended {} why={}; this node is "
                                       "silent until a majority of the voters grants it anew",
                                       tag(), to_string(why))});
    // Nothing reaches the peers now, so missing answers must end no session.
    parts_.keepers.pause(effects);
}

void GatewayLease::heed_lapse(TimePoint now, Effects& effects) {
    const lease::Holder& lease = engine().holder();
    if (!lease.serving()) {
        be_silent(lease::End::lapsed, effects);
    } else if (claim_is_due()) {
        claim_anew(now, effects);
    }
}

void GatewayLease::claim_above_members(TimePoint now, Effects& effects) {
    const Epoch known = std::max(parts_.replica.highest_epoch(), engine().holder().state().seen);
    if (parts_.view.state() != takeover::State::promoted || !parts_.replica.promoted() ||
        !parts_.replica.quorate() || parts_.replica.epoch() >= known ||
        !engine().holder().serving() || now < grants_.at() + kClaimAbovePause ||
        engine().holder().epoch() != grants_.epoch()) {
        return;  // Or the grant of its newest claim waits for the disk.
    }
    effects.emplace_back(Log{LogLevel::warning,
                             fmt::format("a member knows epoch {}, and would not follow this one: "
                                         "claiming anew {}",
                                         to_string(known), tag())});
    grants_.give_back(engine().holder().state().deadline);
    parts_.lease.take(engine().release(false, now), effects);
    parts_.events.post(LeaseOrder::promote);
}

void GatewayLease::on_members(TimePoint now) {
    if (grants_.waits_in_silence()) {
        grants_.await(now + parts_.settings.lease.timing.draining);
    }
}

}  // namespace vpnha::node
