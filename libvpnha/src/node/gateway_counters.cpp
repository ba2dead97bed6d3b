// SPDX-License-Identifier: GPL-2.0-or-later
// The counters of a gateway from one holder to the next: no number is used twice.
//
//   the holder       reads them, and says them as records; when the standbys have confirmed a
//                    reading, each of its rounds names it (lease::Checkpoint)
//   hands over       its gate is shut; it reads them once more, says them, and answers the
//                    successor when CPG has brought that back, or after kLastCountersWait
//   the next holder  takes the margin of its grant for as much as it holds of the records that the
//                    margin counts from, and has them warm before its gate opens
//
// A gateway whose keepers have no counters waits for nothing.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "node/gateway_node.hpp"

namespace vpnha::node {

std::vector<keepers::Counted*> GatewayNode::counted() const {
    std::vector<keepers::Counted*> all;
    for (const auto& keeper : keepers_) {
        if (keepers::Counted* const counted = keeper->counted()) {
            all.push_back(counted);
        }
    }
    return all;
}

bool GatewayNode::holds_margin() const {
    return told_.kind == lease::Margin::Kind::none ||
           replica_.holds(told_.newest.epoch, told_.newest.sequence);
}

void GatewayNode::begin_warming(TimePoint now, Effects& effects) {
    warming_ = Warming{now, false};
    go_on_warming(now, effects);
}

void GatewayNode::go_on_warming(TimePoint now, Effects& effects) {
    if (!warming_) {
        return;
    }
    const std::vector<keepers::Counted*> all = counted();
    if (!warming_->begun && !all.empty()) {
        // The lease's answer overtakes what CPG carries.
        const bool is_coming =
            told_.kind == lease::Margin::Kind::handed_over && told_.run_on() && !holds_margin();
        if (is_coming && now < warming_->since + limits::kLastCountersWait) {
            return;
        }
        const std::optional<Duration> run_on = holds_margin() ? told_.run_on() : std::nullopt;
        say_margin(run_on, now);
        for (keepers::Counted* const each : all) {
            each->warm({granted_, run_on}, now, effects);
        }
    }
    warming_->begun = true;
    const bool warm =
        std::all_of(all.begin(), all.end(), [](const auto* each) { return each->is_warm(); });
    if (!warm && now < warming_->since + limits::kWarmingMax) {
        return;
    }
    warming_.reset();
    if (!warm) {
        failure_ = "warm_counters: the kernel has not taken the counters in time";
    }
    follow(takeover_.on_step(warm), now, effects);
}

// Should this node end before its standbys have confirmed a reading, its successor counts from the
// same records as this one, and adds what this one did. That one may hold less of them: by so much
// it begins further back, and it may be as much again.
void GatewayNode::say_margin(const std::optional<Duration>& run_on, TimePoint now) {
    lease::Checkpoint from;
    if (run_on && told_.newest.epoch != Epoch{} && now.time_since_epoch() > 2 * *run_on) {
        from = {told_.newest.epoch, told_.newest.sequence, now - 2 * *run_on};
    }
    lease_.set_checkpoint(from);
}

void GatewayNode::note_counters() {
    const std::vector<keepers::Counted*> all = counted();
    if (all.empty() || !replica_.promoted()) {
        return;
    }
    TimePoint read_at = TimePoint::max();
    for (const keepers::Counted* const each : all) {
        read_at = std::min(read_at, each->read_at());
    }
    if (replica_.has_said_counters() && read_at >= granted_at_) {
        readings_.add(replica_.epoch(), replica_.sequence(), read_at);
    }
    const std::optional<std::uint64_t> confirmed = replica_.confirmed_by_standbys();
    if (const auto newest =
            confirmed ? readings_.confirm(replica_.epoch(), *confirmed) : std::nullopt) {
        lease_.set_checkpoint(*newest);
    }
    if (handing_over_ && read_at >= handing_over_->since && !handing_over_->last &&
        replica_.has_said_counters()) {
        handing_over_->last = replica_.sequence();
    }
}

void GatewayNode::begin_handing_over(TimePoint now, Effects& effects) {
    const std::vector<keepers::Counted*> all = counted();
    if (all.empty() || !replica_.promoted()) {
        take(lease_.on_counters(lease_.state().checkpoint, now), now, effects);
        return;
    }
    handing_over_ = HandingOver{now, replica_.epoch(), std::nullopt};
    for (keepers::Counted* const each : all) {
        each->read(now, effects);
    }
}

void GatewayNode::go_on_handing_over(TimePoint now, Effects& effects) {
    if (!handing_over_) {
        return;
    }
    const bool is_holder = replica_.promoted() && replica_.epoch() == handing_over_->epoch;
    const std::optional<std::uint64_t> last = handing_over_->last;
    const bool came_back = is_holder && last && replica_.delivered() >= *last;
    if (is_holder && !came_back && now < handing_over_->since + limits::kLastCountersWait) {
        replica_.hurry_counters();
        return;
    }
    // Of the last reading nobody knows whether others have it: then the one before counts.
    const lease::Checkpoint checkpoint =
        came_back ? lease::Checkpoint{replica_.epoch(), *last, *lease_.handing_over()}
                  : lease_.state().checkpoint;
    handing_over_.reset();
    take(lease_.on_counters(checkpoint, now), now, effects);
    if (takeover_.running() == takeover::Step::mute_sessions) {
        run_inner_step(takeover::Step::mute_sessions, now, effects);
    }
}

void GatewayNode::begin_turning(TimePoint now, Effects& effects) {
    turning_until_ = now + limits::kServicesWait;
    go_on_turning(now, effects);
}

void GatewayNode::go_on_turning(TimePoint now, Effects& effects) {
    if (!turning_until_) {
        return;
    }
    const bool turned = std::all_of(keepers_.begin(), keepers_.end(),
                                    [](const auto& keeper) { return keeper->has_turned(); });
    if (!turned && now < *turning_until_) {
        return;
    }
    turning_until_.reset();
    if (!turned) {
        effects.emplace_back(
            Log{Level::warning, fmt::format("a service has not changed its role in time: this node "
                                            "does not wait for it {}",
                                            tag())});
    }
    follow(takeover_.on_step(true), now, effects);
}

void GatewayNode::go_on(TimePoint now, Effects& effects) {
    go_on_handing_over(now, effects);
    go_on_warming(now, effects);
    go_on_turning(now, effects);
}

std::optional<TimePoint> GatewayNode::next_look_at_counters() const {
    std::optional<TimePoint> at = turning_until_;
    if (handing_over_) {
        at = earliest(at, handing_over_->since + limits::kLastCountersWait);
    }
    if (warming_) {
        at =
            earliest(at, warming_->since + (warming_->begun ? Duration(limits::kWarmingMax)
                                                            : Duration(limits::kLastCountersWait)));
    }
    return at;
}

}  // namespace vpnha::node
