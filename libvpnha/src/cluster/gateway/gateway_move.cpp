// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_move.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vpnha::node {

std::string GatewayMoves::objection_to(NodeId node) const {
    if (node != self() && !parts_.replica.peers().contains(node)) {
        return "it takes no part in the gateway: start its resources there first";
    }
    const wire::GatewayState state = parts_.view.state_of(node);
    if (state.standing != wire::Level::complete || state.epoch != parts_.replica.epoch()) {
        const std::vector<std::string> why =
            node == self() ? parts_.view.blockers() : std::vector<std::string>{};
        return why.empty() ? "it is not in sync: vpnha status there shows the reason, or wait"
                           : fmt::format("it is not in sync: {}", fmt::join(why, "; "));
    }
    if (state.outside_lost || state.inside_lost) {
        return fmt::format("its {} is lost, or has been back for less than the hold-off",
                           state.outside_lost && state.inside_lost ? "link of either side"
                           : state.outside_lost                    ? "outside link"
                                                                   : "inside link");
    }
    return "";
}

Result<MovePlan> GatewayMoves::plan(std::optional<NodeId> wanted) const {
    const std::string& gateway = parts_.settings.name;
    if (!parts_.attachment.attached() || parts_.attachment.leaving()) {
        return fail(
            Errc::busy,
            fmt::format("this node takes no part in gateway {}; ask on a node that does", gateway));
    }
    if (!parts_.replica.quorate()) {
        return fail(Errc::busy,
                    "this node is without quorum, and Pacemaker moves nothing; the other nodes "
                    "have to be back first");
    }
    const std::optional<NodeId> holder = parts_.replica.holder();
    const bool is_served =
        holder && (*holder == self() ? parts_.view.state() == takeover::State::promoted
                                     : parts_.view.state_of(*holder).promoted);
    if (!is_served || parts_.view.state_of(*holder).stands_in) {
        return fail(Errc::busy,
                    fmt::format("no node is promoted for gateway {} by Pacemaker now: there is "
                                "nothing to move, look at crm_mon",
                                gateway));
    }
    const MovePlan plan{*holder, wanted.value_or(*holder), parts_.replica.epoch()};
    if (wanted && *wanted == *holder) {
        return fail(Errc::already_exists,
                    fmt::format("{} is promoted for gateway {}; name another node, or none for "
                                "the best one",
                                parts_.view.name_of(*wanted), gateway));
    }
    if (wanted) {
        const std::string objection = objection_to(*wanted);
        return objection.empty() ? Result<MovePlan>(plan)
                                 : fail(Errc::busy, fmt::format("{} cannot have gateway {}: {}",
                                                                parts_.view.name_of(*wanted),
                                                                gateway, objection));
    }
    std::set<NodeId> all{self()};
    for (const auto& [node, state] : parts_.replica.peers()) {
        all.insert(node);
    }
    all.erase(*holder);
    std::vector<NodeId> others(all.begin(), all.end());
    std::stable_partition(others.begin(), others.end(),
                          [this](NodeId node) { return !busy_.contains(node); });
    std::string objections;
    for (const NodeId node : others) {
        const std::string objection = objection_to(node);
        if (objection.empty()) {
            return MovePlan{*holder, node, parts_.replica.epoch()};
        }
        objections += fmt::format("; {}: {}", parts_.view.name_of(node), objection);
    }
    return fail(Errc::busy, fmt::format("no node can have gateway {} from {}{}", gateway,
                                        parts_.view.name_of(*holder), objections));
}

void GatewayMoves::on_message(NodeId sender, const wire::Move& move, TimePoint now,
                              Effects& effects) {
    if (move.gateway != parts_.settings.id) {
        return;
    }
    planned_.on_message(sender, move, now);
    if (move.phase != wire::MovePhase::asked || move.epoch != parts_.replica.epoch() ||
        !planned_.on_asked(move.to, move.epoch, now)) {
        return;
    }
    if (parts_.replica.promoted()) {
        planned_.note_sessions(static_cast<std::uint32_t>(parts_.keepers.session_totals().all));
    }
    effects.emplace_back(
        Log{LogLevel::info, fmt::format("{} is asked to have the gateway, by {} "
                                        "event=move-asked {} to={}",
                                        parts_.view.name_of(move.to), parts_.view.name_of(sender),
                                        parts_.keepers.tag(), parts_.view.name_of(move.to))});
}

void GatewayMoves::on_finished(bool is_promoted) {
    if (planned_.takes() && is_promoted) {
        const keepers::SessionTotals totals = parts_.keepers.session_totals();
        planned_.on_taken(parts_.replica.epoch(),
                          static_cast<std::uint32_t>(totals.all - totals.quarantined));
    }
    planned_.on_not_taken();
}

bool GatewayMoves::calls_for_role(TimePoint now) const {
    const takeover::State state = parts_.view.state();
    const bool is_able =
        parts_.view.standing() == wire::Level::complete && parts_.links.lost_for_coming() == 0;
    return state == takeover::State::standby
               ? is_able && planned_.calls(parts_.replica.epoch(), now)
               : state == takeover::State::taking_over && planned_.takes();
}

void GatewayMoves::flush(Effects& effects) {
    for (const wire::Move& move : planned_.take_due()) {
        effects.emplace_back(SendToGroup{parts_.speech.encode(move)});
    }
}

void GatewayMoves::forget() {
    planned_ = PlannedMove(parts_.settings.id, self());
}

}  // namespace vpnha::node
