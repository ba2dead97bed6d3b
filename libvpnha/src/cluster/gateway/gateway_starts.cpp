// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_starts.hpp"

#include <fmt/format.h>

namespace vpnha::node {

void GatewayStarts::attach(const std::string& resource, const std::set<NodeId>& members,
                           bool quorate, TimePoint now, Effects& effects) {
    GatewayCores& cores = parts_.cores;
    const bool is_back = cores.attachment.leaving();
    if (cores.attachment.attach(resource)) {
        cores.replica.on_members(members, quorate, now);
        effects.emplace_back(Log{LogLevel::info, fmt::format("attached event=attached {}", tag())});
    } else if (is_back) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("attached again, with what was kept since its stop "
                                            "event=attached {} records={}",
                                            tag(), cores.replica.store().count())});
    }
    cores.blockers.set_stopped(false);
    // Pacemaker forgets transient attributes with the node; a repeated start writes it again.
    parts_.score.score().forget();
    parts_.score.write(now, effects);
}

bool GatewayStarts::begin_leaving(RequestToken request, Effects& effects) {
    GatewayCores& cores = parts_.cores;
    if (!cores.attachment.attached()) {
        effects.emplace_back(AnswerRequest{request, {}});
        effects.emplace_back(Detached{cores.settings.id});
        return false;
    }
    cores.attachment.leave(cores.takeover.state() != takeover::State::standby);
    return true;
}

void GatewayStarts::leave(const RoleLeft& left, TimePoint now, Effects& effects) {
    if (!left.succeeded || !parts_.view.keeps_records()) {
        end(effects);
        return;
    }
    GatewayCores& cores = parts_.cores;
    cores.attachment.stop(now);
    cores.blockers.set_stopped(true);
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("stopped; what it has is kept for {} s, for a start within that time "
                        "event=stopped {} records={}",
                        std::chrono::duration_cast<std::chrono::seconds>(kRecordsKept).count(),
                        tag(), cores.replica.store().count())});
}

void GatewayStarts::watch_stopped(TimePoint now, Effects& effects) {
    Attachment& attachment = parts_.cores.attachment;
    if (!attachment.stopped()) {
        return;
    }
    attachment.note_others(parts_.view.others_have_records(), now);
    if (!parts_.view.keeps_records() || now >= attachment.kept_until()) {
        end(effects);
    }
}

void GatewayStarts::end_stopped(Effects& effects) {
    if (parts_.cores.attachment.stopped()) {
        end(effects);
    }
}

void GatewayStarts::release_lease(TimePoint now, Effects& effects) {
    SavedLease& lease = parts_.cores.lease;
    lease.take(lease.engine().release(false, now), effects);
}

void GatewayStarts::end(Effects& effects) {
    GatewayCores& cores = parts_.cores;
    cores.keepers.detach(effects);
    cores.replica.start_over();
    cores.blockers.clear();
    cores.attachment.end();
    parts_.moves.forget();
    parts_.stand_in.policy().end();
    parts_.stand_in.policy().undepose();
    parts_.score.score().forget();
    effects.emplace_back(Detached{cores.settings.id});
}

}  // namespace vpnha::node
