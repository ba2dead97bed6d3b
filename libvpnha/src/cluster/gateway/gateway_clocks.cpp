// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_clocks.hpp"

#include <fmt/format.h>

#include <string>

namespace vpnha::node {

namespace {

std::string text_of(Duration difference, const std::string& holder) {
    const double seconds = std::chrono::duration<double>(difference).count();
    return fmt::format("this node's clock is {:.1f} s {} that of {}, which serves",
                       seconds < 0 ? -seconds : seconds, seconds < 0 ? "behind" : "ahead of",
                       holder);
}

}  // namespace

void on_clock(GatewayCores& cores, const GatewayView& view, NodeId sender, const wire::Clock& clock,
              TimePoint now, Effects& effects) {
    if (sender == view.self() || clock.epoch > cores.replica.highest_epoch()) {
        return;
    }
    cores.clock.handle(clock, cores.replica.holder() == sender, now);
    const bool was_astray = !cores.blockers.clock().empty();
    const bool is_astray = cores.clock.is_astray();
    const std::string text =
        is_astray || was_astray
            ? text_of(cores.clock.difference().value_or(Duration{}), view.name_of(sender))
            : std::string();
    if (is_astray != was_astray) {
        effects.emplace_back(
            Log{is_astray ? LogLevel::warning : LogLevel::info,
                fmt::format("{} event=clocks-differ {}", text, cores.keepers.tag())});
    }
    cores.blockers.set_clock(is_astray ? text : "");
}

void flush_clock(GatewayCores& cores, TimePoint now, Effects& effects) {
    if (cores.replica.promoted()) {
        cores.clock.serve(cores.replica.epoch(), now);
        cores.blockers.set_clock("");
    } else {
        cores.clock.follow();
    }
    const bool may_relay =
        !cores.replica.holder() && cores.replica.level() == wire::Level::complete;
    if (const auto due = cores.clock.take_due(may_relay, now)) {
        effects.emplace_back(SendToGroup{cores.speech.encode(*due)});
    }
}

}  // namespace vpnha::node
