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
    if (sender == self() || clock.epoch > replica_.highest_epoch()) {
        return;
    }
    others_.clock.hear(clock, replica_.holder() == sender, now);
    const bool was_astray = !blockers_.clock().empty();
    const bool is_astray = others_.clock.is_astray();
    const std::string text =
        is_astray || was_astray
            ? text_of(others_.clock.difference().value_or(Duration{}), name_of(sender))
            : std::string();
    if (is_astray != was_astray) {
        effects.emplace_back(Log{is_astray ? LogLevel::warning : LogLevel::info,
                                 fmt::format("{} event=clocks-differ {}", text, tag())});
    }
    blockers_.set_clock(is_astray ? text : "");
}

void GatewayNode::flush_clock(TimePoint now, Effects& effects) {
    if (replica_.promoted()) {
        others_.clock.serve(replica_.epoch(), now);
        blockers_.set_clock("");
    } else {
        others_.clock.follow();
    }
    const bool may_relay = !replica_.holder() && replica_.level() == wire::Level::complete;
    if (const auto due = others_.clock.take_due(may_relay, now)) {
        effects.emplace_back(SendToGroup{speech_.encode(*due)});
    }
}

}  // namespace vpnha::node
