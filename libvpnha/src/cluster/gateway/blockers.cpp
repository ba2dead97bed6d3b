// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/blockers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::node {

namespace {

// A process that cannot be killed waits for a disk or a device.
constexpr Duration kResetAgain = std::chrono::seconds(5);

}  // namespace

bool Blockers::on_services_reset(bool succeeded, TimePoint now) {
    reset_again_at_ = succeeded ? std::nullopt : std::optional(now + kResetAgain);
    return std::exchange(unreset_, !succeeded) && succeeded;
}

bool Blockers::reset_again(TimePoint now) {
    if (!reset_again_at_ || now < *reset_again_at_) {
        return false;
    }
    reset_again_at_.reset();
    resetting_ = true;
    return true;
}

void Blockers::clear() {
    differences_.clear();
    clock_.clear();
    unreset_ = false;
    stopped_ = false;
    reset_again_at_.reset();
}

wire::Level Blockers::standing(const replica::Replica& replica) const {
    const wire::Level level = replica.level();
    if (unreset_) {
        return wire::Level::empty;
    }
    const bool hampered =
        !replica.promoted() && (replica.quarantined() > 0 || !differences_.empty() || !saves_ ||
                                !routing_.empty() || stopped_);
    return hampered ? std::min(level, wire::Level::partial) : level;
}

std::vector<std::string> Blockers::list(const replica::Replica& replica) const {
    std::vector<std::string> reasons;
    if (const auto reason = replica.resync_reason()) {
        reasons.push_back(fmt::format("asks for a snapshot: {}", to_string(*reason)));
    }
    if (!replica.promoted() && replica.quarantined() > 0) {
        reasons.push_back(fmt::format("{} records cannot be applied here", replica.quarantined()));
    }
    if (unreset_) {
        reasons.emplace_back("the stock services of its last promotion have not ended");
    }
    if (stopped_) {
        reasons.emplace_back(
            "Pacemaker has stopped its resource; its records are kept for a start within a minute");
    }
    if (!saves_) {
        reasons.emplace_back("its disk takes nothing: it neither votes nor is granted the lease");
    }
    for (const std::string& item : differences_) {
        reasons.push_back(fmt::format("{} differs from the promoted node's", item));
    }
    reasons.insert(reasons.end(), routing_.begin(), routing_.end());
    if (!clock_.empty()) {
        reasons.push_back(clock_);
    }
    return reasons;
}

}  // namespace vpnha::node
