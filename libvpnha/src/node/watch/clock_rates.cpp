// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/watch/clock_rates.hpp"

#include <utility>

#include "lease/voters.hpp"

namespace vpnha::node {

void ClockRates::note(const lease::Sender& sender, TimePoint sent, TimePoint now,
                      std::int64_t rate_permille) {
    const auto [at, is_new] = measured_.try_emplace(sender.node);
    Measured& measured = at->second;
    const Duration passed = now - measured.received;
    // Rounds come without a pause while a node holds the lease. A gap is no part of a span.
    if (is_new || measured.begins || measured.life != sender.instance || passed > 2 * kSpan ||
        sent < measured.sent) {
        measured = {sender.instance, sent, now, 0, {sender.node, 1, measured.clock.astray}};
        return;
    }
    if (passed < kSpan) {
        return;
    }
    const double rate =
        std::chrono::duration<double>(sent - measured.sent) / std::chrono::duration<double>(passed);
    const double most = static_cast<double>(rate_permille) / 2000;
    const int direction = rate > 1 + most ? 1 : rate < 1 - most ? -1 : 0;
    const bool again = std::exchange(measured.direction, direction) == direction;
    measured.sent = sent;
    measured.received = now;
    measured.clock.rate = rate;
    const bool astray = direction != 0 && (again || measured.clock.astray);
    if (std::exchange(measured.clock.astray, astray) != astray) {
        news_.push_back(measured.clock);
    }
}

void ClockRates::begin_anew() {
    for (auto& [node, measured] : measured_) {
        measured.begins = true;
    }
}

void ClockRates::keep(const std::vector<NodeId>& nodes) {
    std::erase_if(measured_, [&](const auto& each) { return !lease::is_in(nodes, each.first); });
}

std::vector<ClockRates::Clock> ClockRates::take_news() {
    return std::exchange(news_, {});
}

std::vector<ClockRates::Clock> ClockRates::astray() const {
    std::vector<Clock> found;
    for (const auto& [node, measured] : measured_) {
        if (measured.clock.astray) {
            found.push_back(measured.clock);
        }
    }
    return found;
}

}  // namespace vpnha::node
