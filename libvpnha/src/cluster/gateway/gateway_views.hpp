// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway is at this moment: for its own parts, the CLI, metrics and the other nodes. It has
// no state, and changes none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/gateway/attachment.hpp"
#include "cluster/gateway/blockers.hpp"
#include "cluster/gateway/gateway_settings.hpp"
#include "cluster/gateway/lease/gateway_voters.hpp"
#include "cluster/gateway/lease/grants.hpp"
#include "cluster/gateway/links.hpp"
#include "cluster/gateway/stand_in.hpp"
#include "cluster/gateway/watch/history.hpp"
#include "cluster/gateway/watch/holder_watch.hpp"
#include "cluster/gateway/worth/own_lease.hpp"
#include "cluster/gateway/worth/planned_move.hpp"
#include "cluster/gateway/worth/score.hpp"
#include "cluster/takeover/takeover.hpp"

namespace vpnha::node {

// What would become of the gateway's sessions at one node.
struct PlanRow {
    NodeId node;
    wire::Level standing{};
    replica::Coverage coverage;
};

struct GatewayCounters {
    std::uint64_t links_lost = 0;    // Of either side.
    std::uint64_t given_away = 0;    // The gateway, because another node's links were better.
    std::uint64_t saves_failed = 0;  // Of what the lease must remember.
    std::uint64_t unanswered = 0;    // It was given away because no majority granted the lease.
    std::uint64_t switchovers = 0;   // To this node, as it was asked to.
    std::uint64_t takeovers = 0;     // Times at which its gate was opened.
};

class GatewayView {
  public:
    // The parts of the gateway that it reads. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Attachment& attachment;
        const replica::Replica& replica;
        const takeover::Takeover& takeover;
        const SavedLease& lease;
        const Grants& grants;
        const Blockers& blockers;
        const Members& members;
        const GatewayVoters& voters;
        const HolderWatch& holder;
        const OwnLease& own_lease;
        const PlannedMove& planned;
        const StandIn& stand_in;
        const Links& links;
        const Score& score;
        const History& history;
    };
    explicit GatewayView(const Parts& parts) : parts_(parts) {}

    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    [[nodiscard]] takeover::State state() const { return parts_.takeover.state(); }
    // Promoted or draining.
    [[nodiscard]] bool is_served() const { return parts_.takeover.serves(); }
    // The same, or it stands in for a holder.
    [[nodiscard]] bool serves() const {
        return is_served() || state() == takeover::State::standing_in;
    }
    // It serves in another node's place, and Pacemaker has not promoted it.
    [[nodiscard]] bool stands_in() const { return parts_.stand_in.unconfirmed(); }
    // Promoted for Pacemaker, and silent: so few voters are members that no node could be granted
    // the lease. The promotion continues when one is back, or confirmed dead.
    [[nodiscard]] bool waits() const { return parts_.grants.waits_in_silence(); }
    // A start may take a stop back: it serves still, or has kept its records.
    [[nodiscard]] bool may_return() const { return parts_.attachment.stopped() || is_served(); }
    // For Pacemaker.
    [[nodiscard]] bool is_promoted() const {
        const bool promoted = state() == takeover::State::promoted ||
                              state() == takeover::State::standing_in || waits();
        return (promoted && !stands_in()) || parts_.stand_in.deposed();
    }
    // As `vpnha status` names it.
    [[nodiscard]] std::string_view role() const;

    // The replica's level, lowered by the blockers().
    [[nodiscard]] wire::Level standing() const { return parts_.blockers.standing(parts_.replica); }
    // In words for the operator; empty when this node would resume everything.
    [[nodiscard]] std::vector<std::string> blockers() const {
        return parts_.blockers.list(parts_.replica);
    }
    // All sessions of the gateway are in this node's kernel.
    [[nodiscard]] bool can_serve_all() const;
    // A node that takes part in the gateway has all that this one has.
    [[nodiscard]] bool others_have_records() const;
    // Of a gateway that was stopped: its records are worth keeping, and no successor has them.
    [[nodiscard]] bool keeps_records() const;
    // The standby in sync with the fewest lost sides, and how many these are.
    [[nodiscard]] std::optional<std::pair<NodeId, unsigned>> best_standby() const;
    [[nodiscard]] HolderWatch::Sight sight() const;
    [[nodiscard]] const StandIn& stand_in() const { return parts_.stand_in; }
    [[nodiscard]] const Links& links() const { return parts_.links; }
    // The promotion score that was written last; nullopt: none was, or Pacemaker has forgotten it.
    [[nodiscard]] std::optional<int> score() const { return parts_.score.written(); }

    // What the node calls itself, or its number.
    [[nodiscard]] std::string name_of(NodeId node) const;
    // What this node sends to the others about the gateway, and what each node has sent.
    [[nodiscard]] wire::GatewayState wire_state() const;
    [[nodiscard]] wire::GatewayState state_of(NodeId node) const;
    // What would be kept, for every member; the promoted node itself is not in it.
    [[nodiscard]] std::vector<PlanRow> plan() const;
    [[nodiscard]] GatewayCounters counters() const;

  private:
    Parts parts_;
};

}  // namespace vpnha::node
