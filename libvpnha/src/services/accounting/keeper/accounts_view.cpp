// SPDX-License-Identifier: GPL-2.0-or-later
// The accounts' part of `vpnha status`.
#include <algorithm>
#include <chrono>
#include <iterator>

#include "services/accounting/keeper/accounts.hpp"

namespace vpnha::keepers {

Status Accounts::status(TimePoint now) const {
    if (!settings_.on) {
        return {{"accounting", {}}};
    }
    const AccountCounts counts = account_counts(now);
    const auto in_ms = [](Duration time) {
        return std::chrono::duration<double, std::milli>(time).count();
    };
    std::vector<double> bounds;
    std::ranges::transform(counts.took.bounds(), std::back_inserter(bounds), in_ms);
    const auto& took = counts.took.counts();
    return {{"accounting/took_by_ms", std::move(bounds)},
            {"accounting/took", std::vector<double>(took.begin(), took.end())},
            {"accounting/took_sum_ms", in_ms(counts.took.sum())},
            {"accounting/sessions", counts.sessions},
            {"accounting/waiting", counts.waiting},
            {"accounting/oldest_s", counts.oldest_s},
            {"accounting/silent", counts.silent},
            {"accounting/answered", counts.answered},
            {"accounting/unanswered", counts.unanswered},
            {"accounting/failed", counts.failed},
            {"accounting/dropped", counts.dropped}};
}

}  // namespace vpnha::keepers
