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
    const bool is_back = cores_.attachment.leaving();
    if (cores_.attachment.attach(resource)) {
        cores_.replica.on_members(members, quorate, now);
        effects.emplace_back(Log{LogLevel::info, fmt::format("attached event=attached {}", tag())});
    } else if (is_back) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("attached again, with what was kept since its stop "
                                            "event=attached {} records={}",
                                            tag(), cores_.replica.store().count())});
    }
    cores_.blockers.set_stopped(false);
    // Pacemaker forgets transient attributes with the node; a repeated start writes it again.
    score_.score().forget();
    score_.write(now, effects);
}

void GatewayNode::detach(RequestToken request, TimePoint now, Effects& effects) {
    if (!cores_.attachment.attached()) {
        effects.emplace_back(AnswerRequest{request, {}});
        effects.emplace_back(Detached{cores_.settings.id});
        return;
    }
    cores_.attachment.leave(cores_.takeover.state() != takeover::State::standby);
    demote(request, now, effects);
}

void GatewayNode::leave(TimePoint now, Effects& effects) {
    if (!view_.keeps_records()) {
        end_attachment(effects);
        return;
    }
    cores_.attachment.stop(now);
    cores_.blockers.set_stopped(true);
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("stopped; what it has is kept for {} s, for a start within that time "
                        "event=stopped {} records={}",
                        std::chrono::duration_cast<std::chrono::seconds>(kRecordsKept).count(),
                        tag(), cores_.replica.store().count())});
}

void GatewayNode::watch_stopped(TimePoint now, Effects& effects) {
    if (!cores_.attachment.stopped()) {
        return;
    }
    cores_.attachment.note_others(view_.others_have_records(), now);
    if (!view_.keeps_records() || now >= cores_.attachment.kept_until()) {
        end_attachment(effects);
    }
}

void GatewayNode::end_stopped(Effects& effects) {
    if (cores_.attachment.stopped()) {
        end_attachment(effects);
    }
}

void GatewayNode::end_attachment(Effects& effects) {
    cores_.keepers.detach(effects);
    cores_.replica = replica::Replica(cores_.settings.id, self(), cores_.replica.highest_epoch());
    cores_.blockers.clear();
    cores_.attachment.end();
    moves_.forget();
    stand_in_.policy().end();
    stand_in_.policy().undepose();
    score_.score().forget();
    effects.emplace_back(Detached{cores_.settings.id});
}

}  // namespace vpnha::node
