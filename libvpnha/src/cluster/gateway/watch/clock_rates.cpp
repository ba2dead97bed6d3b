// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/clock_rates.hpp"

#include <algorithm>
#include <utility>

#include "cluster/lease/voters.hpp"

namespace vpnha::node {

void ClockRates::note(const lease::Sender& sender, TimePoint sent, TimePoint now,
                      std::int64_t rate_ppm) {
    const auto [at, is_new] = measured_.try_emplace(sender.node);
    Measured& measured = at->second;
    const Duration delay = now - sent;
    // A gap is no part of a span.
    if (is_new || std::exchange(measured.begins, false) || measured.life != sender.instance ||
        now - measured.begun > 2 * kSpan || sent < measured.sent) {
        measured = {sender.instance,
                    sent,
                    now,
                    delay,
                    {},
                    0,
                    {sender.node, 1, measured.clock.astray},
                    false};
        return;
    }
    measured.sent = sent;
    if (now - measured.begun < kSpan) {
        measured.shortest = std::min(measured.shortest, delay);
        return;
    }
    const std::optional<Duration> before = std::exchange(measured.before, measured.shortest);
    measured.shortest = delay;
    measured.begun += kSpan;
    if (before) {
        judge(measured, *before, rate_ppm);
    }
}

void ClockRates::judge(Measured& measured, Duration before, std::int64_t rate_ppm) {
    const double most = static_cast<double>(rate_ppm) / 1e6;
    // A slow clock falls behind: what it sends looks older and older.
    const double rate = 1 - std::chrono::duration<double>(*measured.before - before) /
                                std::chrono::duration<double>(kSpan);
    const int direction = rate > 1 + most ? 1 : rate < 1 - most ? -1 : 0;
    const bool again = std::exchange(measured.direction, direction) == direction;
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

std::vector<NodeId> ClockRates::nodes_astray() const {
    std::vector<NodeId> nodes;
    for (const Clock& clock : astray()) {
        nodes.push_back(clock.node);
    }
    return nodes;
}

bool ClockRates::own_is_astray(std::size_t voters) const {
    const std::vector<Clock> others = astray();
    const auto fast = static_cast<std::size_t>(std::count_if(
        others.begin(), others.end(), [](const Clock& clock) { return clock.rate > 1; }));
    return std::max(fast, others.size() - fast) > voters / 2;
}

}  // namespace vpnha::node
