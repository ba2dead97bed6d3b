// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha drain`, `session end`, and `vpnha switchover`: whether this gateway may be moved, and what
// this node does for it (planned_move.hpp). Any node that takes part in the gateway may be asked.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"
#include "services/drain/keeper/drain.hpp"

namespace vpnha::node {

std::string GatewayNode::name_of(NodeId node) const {
    const std::string name = others_.members.name(node);
    return name.empty() ? std::to_string(node.value) : name;
}

wire::GatewayState GatewayNode::state_of(NodeId node) const {
    const auto peer = replica_.peers().find(node);
    return node == self()                   ? wire_state()
           : peer == replica_.peers().end() ? wire::GatewayState{}
                                            : peer->second;
}

std::string GatewayNode::objection_to(NodeId node) const {
    if (node != self() && !replica_.peers().contains(node)) {
        return "it takes no part in the gateway: start its resources there first";
    }
    const wire::GatewayState state = state_of(node);
    if (state.standing != wire::Level::complete || state.epoch != replica_.epoch()) {
        const std::vector<std::string> why =
            node == self() ? blockers() : std::vector<std::string>{};
        return why.empty() ? "it is not in sync: vpnha status there says why, or wait"
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

Result<MovePlan> GatewayNode::plan_move(std::optional<NodeId> wanted) const {
    const std::string& gateway = settings_.name;
    if (!attached() || detaching()) {
        return fail(
            Errc::busy,
            fmt::format("this node takes no part in gateway {}; ask on a node that does", gateway));
    }
    if (!replica_.quorate()) {
        return fail(Errc::busy,
                    "this node is without quorum, and Pacemaker moves nothing; the other nodes "
                    "have to be back first");
    }
    const std::optional<NodeId> holder = replica_.holder();
    const bool is_served = holder && (*holder == self() ? state() == takeover::State::promoted
                                                        : state_of(*holder).promoted);
    if (!is_served || state_of(*holder).stands_in) {
        return fail(Errc::busy,
                    fmt::format("no node is promoted for gateway {} by Pacemaker now: there is "
                                "nothing to move, look at crm_mon",
                                gateway));
    }
    const MovePlan plan{*holder, wanted.value_or(*holder), replica_.epoch()};
    if (wanted && *wanted == *holder) {
        return fail(Errc::already_exists,
                    fmt::format("{} is promoted for gateway {}; name another node, or none for "
                                "the best one",
                                name_of(*wanted), gateway));
    }
    if (wanted) {
        const std::string objection = objection_to(*wanted);
        return objection.empty()
                   ? Result<MovePlan>(plan)
                   : fail(Errc::busy, fmt::format("{} cannot have gateway {}: {}", name_of(*wanted),
                                                  gateway, objection));
    }
    std::set<NodeId> all{self()};
    for (const auto& [node, state] : replica_.peers()) {
        all.insert(node);
    }
    all.erase(*holder);
    std::vector<NodeId> others(all.begin(), all.end());
    std::stable_partition(others.begin(), others.end(),
                          [this](NodeId node) { return !others_.busy.contains(node); });
    std::string objections;
    for (const NodeId node : others) {
        const std::string objection = objection_to(node);
        if (objection.empty()) {
            return MovePlan{*holder, node, replica_.epoch()};
        }
        objections += fmt::format("; {}: {}", name_of(node), objection);
    }
    return fail(Errc::busy, fmt::format("no node can have gateway {} from {}{}", gateway,
                                        name_of(*holder), objections));
}

Result<void> GatewayNode::check_promoted() const {
    if (replica_.promoted()) {
        return {};
    }
    const std::optional<NodeId> holder = replica_.holder();
    return fail(Errc::busy,
                holder ? fmt::format("{} is promoted for gateway {}: ask there", name_of(*holder),
                                     settings_.name)
                       : fmt::format("no node is promoted for gateway {}", settings_.name));
}

Result<void> GatewayNode::check_heard() const {
    VPNHA_CHECK(check_promoted());
    return keepers_.is_heard() ? Result<void>()
                               : fail(Errc::busy, fmt::format("gateway {} has no lease at present: "
                                                              "ask again",
                                                              settings_.name));
}

Result<void> GatewayNode::end_session(const wire::RecordKey& session, TimePoint now,
                                      Effects& effects) {
    VPNHA_CHECK(check_heard());
    return keepers_.end(session, now, effects);
}

Result<ppp::Terms> GatewayNode::change_session(const wire::RecordKey& session,
                                               const ppp::TermsChange& change, TimePoint now,
                                               Effects& effects) {
    VPNHA_CHECK(check_heard());
    return keepers_.change(session, change, now, effects);
}

Result<void> GatewayNode::drain(std::optional<std::uint64_t> since_unix_ms, TimePoint now,
                                Effects& effects) {
    VPNHA_CHECK(check_promoted());
    keepers_.on_event(DrainOrder{since_unix_ms}, now, effects);
    const auto* const drained = keeper<keepers::Drain>();
    return drained == nullptr || drained->state().has_value() == since_unix_ms.has_value()
               ? Result<void>{}
               : fail(Errc::limit, "the replica has no room for the record that says so");
}

void GatewayNode::ask_move(const MovePlan& plan) {
    wishes_.planned.ask(plan.to, plan.epoch);
}

void GatewayNode::on_move(NodeId sender, const wire::Move& move, TimePoint now, Effects& effects) {
    if (move.gateway != settings_.id) {
        return;
    }
    wishes_.planned.on_message(sender, move, now);
    if (move.phase != wire::MovePhase::asked || move.epoch != replica_.epoch() ||
        !wishes_.planned.on_asked(move.to, move.epoch, now)) {
        return;
    }
    if (replica_.promoted()) {
        wishes_.planned.note_sessions(static_cast<std::uint32_t>(keepers_.session_totals().all));
    }
    effects.emplace_back(Log{
        LogLevel::info, fmt::format("{} is asked to have the gateway, by {} "
                                    "event=move-asked {} to={}",
                                    name_of(move.to), name_of(sender), tag(), name_of(move.to))});
}

void GatewayNode::end_move(bool is_promoted) {
    if (wishes_.planned.takes() && is_promoted) {
        const keepers::SessionTotals totals = keepers_.session_totals();
        wishes_.planned.on_taken(replica_.epoch(),
                                 static_cast<std::uint32_t>(totals.all - totals.quarantined));
    }
    wishes_.planned.on_not_taken();
}

void GatewayNode::leave_gate(const lease::Leave& leave, TimePoint now, Effects& effects) {
    gate_.let_out(state_of(leave.to).macs, keepers_.lets_out(), leave.until, now, effects);
}

void GatewayNode::hold_gate(TimePoint now, Effects& effects) {
    const std::optional<NodeId> holder = replica_.holder();
    const SideMacs before = holder && *holder != self() ? state_of(*holder).macs : SideMacs{};
    gate_.hold(links_.macs(), before, now, effects);
}

// The kernel has shut the gate by itself.
void GatewayNode::go_on_leaving(TimePoint now) {
    if (gate_.has_left(now) && takeover_.running() == takeover::Step::shut_gate) {
        events_.post(takeover::Next{takeover::Step::shut_gate, false, false});
    }
}

void GatewayNode::go_on_giving_back(TimePoint now, Effects& effects) {
    if (gate_.gives_back()) {
        gate_.give_back(keepers_.take_packets(), now, effects);
    }
}

bool GatewayNode::calls_for_role(TimePoint now) const {
    const takeover::State state = takeover_.state();
    const bool is_able = standing() == wire::Level::complete && links_.lost_for_coming() == 0;
    return state == takeover::State::standby
               ? is_able && wishes_.planned.calls(replica_.epoch(), now)
               : state == takeover::State::taking_over && wishes_.planned.takes();
}

}  // namespace vpnha::node
