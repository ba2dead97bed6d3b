// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha switchover`: whether this gateway may be moved, and what this node does for it
// (worth/planned_move.hpp). Any node that takes part in the gateway may be asked. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "cluster/gateway/gateway_views.hpp"

namespace vpnha::node {

// Who gives the role to whom, out of which epoch.
struct MovePlan {
    NodeId from;
    NodeId to;
    Epoch epoch;
};

class GatewayMoves {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Speech& speech;
        const GatewayView& view;
        const Attachment& attachment;
        const replica::Replica& replica;
        const Links& links;
        const KeeperList& keepers;
    };
    explicit GatewayMoves(const Parts& parts)
        : parts_(parts), planned_(parts.settings.id, self()) {}

    // As StandIn::busy() has it.
    void set_busy(std::set<NodeId> nodes) { busy_ = std::move(nodes); }
    [[nodiscard]] const std::set<NodeId>& busy() const { return busy_; }

    // Whether the role could be moved now, to that node or to the best one. An error says why not.
    [[nodiscard]] Result<MovePlan> plan(std::optional<NodeId> wanted) const;
    // Asks the group for it. To be repeated until the role has moved: see kMoveLasts.
    void ask(const MovePlan& plan) { planned_.ask(plan.to, plan.epoch); }
    void on_message(NodeId sender, const wire::Move& move, TimePoint now, Effects& effects);

    // Pacemaker promotes this node.
    void on_promotion(TimePoint now) { planned_.on_promotion(parts_.replica.epoch(), now); }
    void on_opened() { planned_.on_opened(parts_.replica.epoch()); }
    // The promotion has ended, well or not.
    void on_finished(bool is_promoted);
    void on_lease_ended(const Epoch& epoch, TimePoint now) { planned_.on_silent(epoch, now); }
    void on_time(TimePoint now) { planned_.on_time(now); }
    // Sends what is due.
    void flush(Effects& effects);
    // The gateway is detached.
    void forget();

    // This node's score is above all others.
    [[nodiscard]] bool calls_for_role(TimePoint now) const;
    [[nodiscard]] const PlannedMove& planned() const { return planned_; }

  private:
    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    // Why that node cannot have the role; empty: it can.
    [[nodiscard]] std::string objection_to(NodeId node) const;

    Parts parts_;
    PlannedMove planned_;
    std::set<NodeId> busy_;
};

}  // namespace vpnha::node
