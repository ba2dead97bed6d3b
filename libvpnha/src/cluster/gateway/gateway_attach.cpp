// SPDX-License-Identifier: GPL-2.0-or-later
// An agent's start and stop, and what a stopped gateway keeps (attachment.hpp). It stays a silent
// member: its replica follows the group and is a source of snapshots, its sessions stay in the
// kernel behind the shut gate. It is no candidate for anything: its standing is partial, it stands
// in for nobody, and writes no score.
#include <fmt/format.h>

#include <algorithm>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

void GatewayNode::attach(const std::string& resource, const std::set<NodeId>& members, bool quorate,
                         TimePoint now, Effects& effects) {
    const bool is_back = detaching();
    if (attachment_.attach(resource)) {
        replica_.on_members(members, quorate, now);
        effects.emplace_back(Log{LogLevel::info, fmt::format("attached event=attached {}", tag())});
    } else if (is_back) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("attached again, with what was kept since its stop "
                                            "event=attached {} records={}",
                                            tag(), replica_.store().count())});
    }
    blockers_.set_stopped(false);
    // Pacemaker forgets transient attributes with the node; a repeated start writes it again.
    score_.forget();
    write_score(now, effects);
}

void GatewayNode::detach(RequestToken request, TimePoint now, Effects& effects) {
    if (!attached()) {
        effects.emplace_back(AnswerRequest{request, {}});
        effects.emplace_back(Detached{settings_.id});
        return;
    }
    attachment_.leave(takeover_.state() != takeover::State::standby);
    demote(request, now, effects);
}

bool GatewayNode::keeps_records() const {
    const bool has_successor =
        attachment_.has_served() && replica_.holder().value_or(self()) != self();
    return replica_.level() != wire::Level::empty && !replica_.store().records().empty() &&
           !has_successor;
}

bool GatewayNode::others_have_records() const {
    return std::ranges::any_of(replica_.peers(), [this](const auto& peer) {
        const wire::GatewayState& state = peer.second;
        return state.epoch >= replica_.epoch() &&
               (state.promoted || state.standing == wire::Level::complete);
    });
}

void GatewayNode::leave(TimePoint now, Effects& effects) {
    if (!keeps_records()) {
        end_attachment(effects);
        return;
    }
    attachment_.stop(now);
    blockers_.set_stopped(true);
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("stopped; what it has is kept for {} s, for a start within that time "
                        "event=stopped {} records={}",
                        std::chrono::duration_cast<std::chrono::seconds>(kRecordsKept).count(),
                        tag(), replica_.store().count())});
}

void GatewayNode::watch_stopped(TimePoint now, Effects& effects) {
    if (!attachment_.stopped()) {
        return;
    }
    attachment_.note_others(others_have_records(), now);
    if (!keeps_records() || now >= attachment_.kept_until()) {
        end_attachment(effects);
    }
}

void GatewayNode::end_stopped(Effects& effects) {
    if (attachment_.stopped()) {
        end_attachment(effects);
    }
}

void GatewayNode::end_attachment(Effects& effects) {
    remove_everything(effects);
    effects.emplace_back(Detached{settings_.id});
}

}  // namespace vpnha::node
