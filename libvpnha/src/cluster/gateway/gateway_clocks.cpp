// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's clock, and this node's own beside that of the node that serves.
#include <fmt/format.h>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

namespace {

std::string text_of(Duration difference, const std::string& holder) {
    const double seconds = std::chrono::duration<double>(difference).count();
    return fmt::format("this node's clock is {:.1f} s {} that of {}, which serves",
                       seconds < 0 ? -seconds : seconds, seconds < 0 ? "behind" : "ahead of",
                       holder);
}

}  // namespace

void GatewayNode::on_clock(NodeId sender, const wire::Clock& clock, TimePoint now,
                           Effects& effects) {
    if (sender == self() || clock.epoch > cores_.replica.highest_epoch()) {
        return;
    }
    cores_.clock.hear(clock, cores_.replica.holder() == sender, now);
    const bool was_astray = !cores_.blockers.clock().empty();
    const bool is_astray = cores_.clock.is_astray();
    const std::string text =
        is_astray || was_astray
            ? text_of(cores_.clock.difference().value_or(Duration{}), view_.name_of(sender))
            : std::string();
    if (is_astray != was_astray) {
        effects.emplace_back(Log{is_astray ? LogLevel::warning : LogLevel::info,
                                 fmt::format("{} event=clocks-differ {}", text, tag())});
    }
    cores_.blockers.set_clock(is_astray ? text : "");
}

void GatewayNode::flush_clock(TimePoint now, Effects& effects) {
    if (cores_.replica.promoted()) {
        cores_.clock.serve(cores_.replica.epoch(), now);
        cores_.blockers.set_clock("");
    } else {
        cores_.clock.follow();
    }
    const bool may_relay =
        !cores_.replica.holder() && cores_.replica.level() == wire::Level::complete;
    if (const auto due = cores_.clock.take_due(may_relay, now)) {
        effects.emplace_back(SendToGroup{cores_.speech.encode(*due)});
    }
}

}  // namespace vpnha::node
