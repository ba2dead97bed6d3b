// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/routing_watch.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

using adapters::RoutingConflicts;
using adapters::write_log;

namespace {

constexpr Duration kPause = std::chrono::seconds(10);

std::vector<std::string> of_gateway(const RoutingConflicts& conflicts, GatewayId gateway) {
    const auto found = conflicts.find(gateway);
    return found == conflicts.end() ? std::vector<std::string>() : found->second;
}

}  // namespace

RoutingWatch::RoutingWatch(adapters::QbLoop& loop, const config::Config& config, OnChange on_change)
    : loop_(loop), config_(config), on_change_(std::move(on_change)), background_(loop) {
    look();
}

RoutingWatch::~RoutingWatch() {
    loop_.cancel_timer(kRoutingTimer);
}

std::vector<std::string> RoutingWatch::conflicts(GatewayId gateway) const {
    return of_gateway(conflicts_, gateway);
}

void RoutingWatch::look() {
    const auto found = std::make_shared<RoutingConflicts>();
    const Result<void> begun = background_.run(
        [found, &config = config_] {
            return adapters::routing_conflicts(config).map(
                [&found](RoutingConflicts conflicts) { *found = std::move(conflicts); });
        },
        [this, found](const Result<void>& looked) {
            const std::string error = looked ? std::string() : looked.error().detail;
            if (looked) {
                take(*found);
            } else if (error != error_) {
                write_log(LogLevel::warning, error);
            }
            error_ = error;
            look_later();
        });
    if (!begun) {
        look_later();
    }
}

void RoutingWatch::look_later() {
    loop_.set_timer(kRoutingTimer, loop_.now() + kPause, [this] { look(); });
}

void RoutingWatch::take(const RoutingConflicts& found) {
    const RoutingConflicts before = std::exchange(conflicts_, found);
    for (const config::Gateway& gateway : config_.gateways) {
        const std::vector<std::string> now = conflicts(gateway.id);
        if (now == of_gateway(before, gateway.id)) {
            continue;
        }
        for (const std::string& each : now) {
            write_log(LogLevel::error,
                      fmt::format("{} event=routing-taken gateway={}", each, gateway.name));
        }
        if (now.empty()) {
            write_log(LogLevel::info,
                      fmt::format("tables and preference are this gateway's alone again "
                                  "event=routing-free gateway={}",
                                  gateway.name));
        }
        on_change_(gateway.id, now);
    }
}

}  // namespace vpnha::runtime
