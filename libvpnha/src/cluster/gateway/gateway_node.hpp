// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway on one node: joins its replica, its lease, its takeover and the keepers of its
// records (protocols/keeper.hpp), each of which it finds by a record's type. Pure.
//
// It only coordinates: each part has its own state, reads the others by GatewayView, and posts what
// follows in them (event_queue.hpp).
//
// Every public event ends with the replica's due messages, unless the group is blocked: then
// changes pile up in the dirty set, where newer ones replace older ones, until it is writable
// again.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>

#include "cluster/gateway/gateway_cores.hpp"
#include "cluster/gateway/gateway_links.hpp"
#include "cluster/gateway/gateway_move.hpp"
#include "cluster/gateway/gateway_reports.hpp"
#include "cluster/gateway/gateway_role.hpp"
#include "cluster/gateway/gateway_score.hpp"
#include "cluster/gateway/gateway_sessions.hpp"
#include "cluster/gateway/gateway_stand_in.hpp"
#include "cluster/gateway/gateway_starts.hpp"
#include "cluster/gateway/gateway_views.hpp"
#include "cluster/gateway/lease/gateway_lease.hpp"
#include "cluster/gateway/lease/gateway_voters.hpp"

namespace vpnha::node {

class GatewayNode {
  public:
    // `speech` must outlive it.
    GatewayNode(GatewaySettings settings, const Speech& speech,
                std::span<const keepers::Make> families);
    GatewayNode(const GatewayNode&) = delete;
    GatewayNode& operator=(const GatewayNode&) = delete;

    // An agent's stop; its start is that of starts().
    void detach(RequestToken request, TimePoint now, Effects& effects);
    void promote(RequestToken request, TimePoint now, Effects& effects);
    void demote(RequestToken request, TimePoint now, Effects& effects);
    // Ends that this node stands in; nobody takes over from it.
    void stop_standing_in(RequestToken request, TimePoint now, Effects& effects);
    void on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                      Effects& effects);

    void on_members(const std::set<NodeId>& members, bool quorate, TimePoint now, Effects& effects);
    void on_echo(NodeId node, TimePoint now) { stand_in_.on_echo(node, now); }
    void on_message(NodeId sender, const wire::Message& message, TimePoint now, Effects& effects);
    // A message of that member could not be read.
    void on_malformed(NodeId sender, TimePoint now, Effects& effects);
    // Authentic, and not replayed. A node votes whether it takes part in the gateway or not.
    void on_lease_message(const lease::Sender& sender, const lease::Message& message, TimePoint now,
                          Effects& effects);
    void on_lease_saved(std::uint64_t ticket, const Result<void>& result, TimePoint now,
                        Effects& effects);
    void on_probe(Effects& effects) { score_.on_probe(effects); }
    // News of the kernel, and of what else keepers listen to.
    void on_event(const KeeperEvent& event, TimePoint now, Effects& effects);
    void resync(TimePoint now, Effects& effects);
    // Unix time less CLOCK_BOOTTIME, of this node.
    void set_wall(Duration wall) { cores_.clock.set_wall(wall); }

    void on_time(TimePoint now, Effects& effects);

    // What a transition waits for may have come; to be called after every event.
    void proceed(TimePoint now, Effects& effects);
    // Messages and scores that became due; to be called after every event when the group takes
    // them.
    void flush(TimePoint now, Effects& effects);
    // While it is true no record leaves this node.
    void withhold_records(bool withheld) { cores_.replica.withhold_records(withheld); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // Has the voters asked for something; returns what `ask` does.
    template <class Ask>
    auto ask_voters(TimePoint now, Effects& effects, Ask ask) {
        if constexpr (std::is_void_v<decltype(ask(voters_))>) {
            ask(voters_);
            handle_events(now, effects);
        } else {
            auto asked = ask(voters_);
            handle_events(now, effects);
            return asked;
        }
    }
    // Parts of which an event is no other part's matter.
    [[nodiscard]] Blockers& blockers() { return cores_.blockers; }
    [[nodiscard]] GatewayLinks& links() { return links_; }
    [[nodiscard]] GatewayMoves& moves() { return moves_; }
    [[nodiscard]] GatewayReports& reports() { return reports_; }
    [[nodiscard]] GatewayStarts starts() {
        return GatewayStarts({cores_, view_, moves_, stand_in_, score_});
    }
    [[nodiscard]] GatewaySessions session_orders() {
        return GatewaySessions({cores_.settings, cores_.replica, view_, cores_.keepers});
    }

    // What it is at this moment, and the state that it has.
    [[nodiscard]] const GatewayView& view() const { return view_; }
    [[nodiscard]] const GatewayCores& cores() const { return cores_; }
    [[nodiscard]] const GatewayVoters& voters() const { return voters_; }
    [[nodiscard]] const GatewayMoves& moves() const { return moves_; }

  private:
    // "gateway=l2tp epoch=3.1"
    [[nodiscard]] std::string tag() const { return cores_.keepers.tag(); }
    // Handles what the queue has, and what follows from it.
    void handle_events(TimePoint now, Effects& effects);
    void handle(InternalEvent&& event, TimePoint now, Effects& effects);
    // LeaseReady.
    void carry_out(lease::Effects&& from, TimePoint now, Effects& effects);
    void take(replica::Effects&& from, TimePoint now, Effects& effects);
    // Reports a holder that does not serve to Pacemaker.
    void watch_holder(TimePoint now, Effects& effects);

    GatewayCores cores_;
    GatewayVoters voters_;
    GatewayLinks links_;
    GatewayMoves moves_;
    GatewayReports reports_;
    GatewayLease lease_;
    GatewayStandIn stand_in_;
    GatewayRole role_;
    GatewayScore score_;
    GatewayView view_;
};

}  // namespace vpnha::node
