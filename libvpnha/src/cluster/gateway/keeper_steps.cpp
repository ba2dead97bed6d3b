// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/keeper_steps.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::node {

bool KeeperSteps::holds_margin() const {
    const lease::Margin& margin = parts_.grants.margin();
    return margin.kind == lease::Margin::Kind::none ||
           parts_.replica.holds(margin.newest.epoch, margin.newest.sequence);
}

std::optional<bool> KeeperSteps::warm(TimePoint now, Effects& effects) {
    if (!warming_) {
        return std::nullopt;
    }
    const lease::Margin& margin = parts_.grants.margin();
    const std::vector<keepers::Counted*> all = parts_.keepers.counted();
    if (!warming_->begun && !all.empty()) {
        // The lease's answer overtakes what CPG carries.
        const bool is_coming =
            margin.kind == lease::Margin::Kind::handed_over && margin.run_on() && !holds_margin();
        if (is_coming && now < warming_->since + limits::kLastCountersWait) {
            return std::nullopt;
        }
        const std::optional<Duration> run_on = holds_margin() ? margin.run_on() : std::nullopt;
        emit_margin(run_on, now);
        for (keepers::Counted* const each : all) {
            each->warm({parts_.grants.epoch(), run_on}, now, effects);
        }
    }
    warming_->begun = true;
    const bool warm =
        std::all_of(all.begin(), all.end(), [](const auto* each) { return each->is_warm(); });
    if (!warm && now < warming_->since + limits::kWarmingMax) {
        return std::nullopt;
    }
    warming_.reset();
    return warm;
}

// If this node ends before its standbys confirm a reading, the successor counts from the same
// records and adds the same margin. The successor may have fewer of these records. It then begins
// further back by that difference, which may be as large again.
void KeeperSteps::emit_margin(const std::optional<Duration>& run_on, TimePoint now) {
    const lease::Checkpoint& newest = parts_.grants.margin().newest;
    lease::Checkpoint from;
    if (run_on && newest.epoch != Epoch{} && now.time_since_epoch() > 2 * *run_on) {
        from = {newest.epoch, newest.sequence, now - 2 * *run_on};
    }
    parts_.lease.set_checkpoint(from);
}

void KeeperSteps::begin_turning(TimePoint now) {
    turning_until_ = now + limits::kServicesWait;
}

std::optional<bool> KeeperSteps::turn(TimePoint now) {
    if (!turning_until_) {
        return std::nullopt;
    }
    const bool turned = parts_.keepers.have_turned();
    if (!turned && now < *turning_until_) {
        return std::nullopt;
    }
    turning_until_.reset();
    return turned;
}

void KeeperSteps::note_counters() {
    const replica::Replica& replica = parts_.replica;
    const std::vector<keepers::Counted*> all = parts_.keepers.counted();
    if (all.empty() || !replica.promoted()) {
        return;
    }
    TimePoint read_at = TimePoint::max();
    for (const keepers::Counted* const each : all) {
        read_at = std::min(read_at, each->read_at());
    }
    if (replica.has_emitted_counters() && read_at >= parts_.grants.at()) {
        readings_.add(replica.epoch(), replica.sequence(), read_at);
    }
    const std::optional<std::uint64_t> confirmed = replica.confirmed_by_standbys();
    const auto newest = confirmed ? readings_.confirm(replica.epoch(), *confirmed) : std::nullopt;
    // A grant that waits for the disk may show that another node has served since the reading.
    if (newest && parts_.lease.holder().epoch() == parts_.grants.epoch()) {
        parts_.lease.set_checkpoint(*newest);
    }
    if (handing_over_ && read_at >= handing_over_->since && !handing_over_->last &&
        replica.has_emitted_counters()) {
        handing_over_->last = replica.sequence();
    }
}

bool KeeperSteps::begin_handing_over(std::optional<TimePoint> shut_at, TimePoint now,
                                     Effects& effects) {
    const bool has_counters = !parts_.keepers.counted().empty() && parts_.replica.promoted();
    if (!has_counters && !shut_at) {
        return false;
    }
    handing_over_ = HandingOver{shut_at.value_or(now), parts_.replica.epoch(), false, {}};
    if (!shut_at) {
        read_last(now, effects);
    }
    return true;
}

void KeeperSteps::read_last(TimePoint now, Effects& effects) {
    handing_over_->begun = true;
    for (keepers::Counted* const each : parts_.keepers.counted()) {
        each->read(now, effects);
    }
}

std::optional<lease::Checkpoint> KeeperSteps::hand_over(TimePoint now, Effects& effects) {
    if (!handing_over_ || now < handing_over_->since) {
        return std::nullopt;
    }
    replica::Replica& replica = parts_.replica;
    if (parts_.keepers.counted().empty() || !replica.promoted()) {
        handing_over_.reset();
        return parts_.lease.state().checkpoint;
    }
    if (!handing_over_->begun) {
        read_last(now, effects);
    }
    const bool is_holder = replica.promoted() && replica.epoch() == handing_over_->epoch;
    const std::optional<std::uint64_t> last = handing_over_->last;
    const bool came_back = is_holder && last && replica.delivered() >= *last;
    if (is_holder && !came_back && now < handing_over_->since + limits::kLastCountersWait) {
        replica.hurry_counters();
        return std::nullopt;
    }
    handing_over_.reset();
    VPNHA_ASSERT(!is_holder || !last || *last <= replica.sequence());
    // It is unknown whether others have the last reading: then the one before counts.
    return came_back ? lease::Checkpoint{replica.epoch(), *last, *parts_.lease.handing_over()}
                     : parts_.lease.state().checkpoint;
}

std::optional<TimePoint> KeeperSteps::next_deadline() const {
    std::optional<TimePoint> at = turning_until_;
    if (handing_over_) {
        const TimePoint since = handing_over_->since;
        at = earliest(at, handing_over_->begun ? since + limits::kLastCountersWait : since);
    }
    if (warming_) {
        const Duration most =
            warming_->begun ? Duration(limits::kWarmingMax) : Duration(limits::kLastCountersWait);
        at = earliest(at, warming_->since + most);
    }
    return at;
}

}  // namespace vpnha::node
