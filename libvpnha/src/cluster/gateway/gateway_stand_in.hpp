// SPDX-License-Identifier: GPL-2.0-or-later
// Standing in for a holder that does not answer: when this gateway's standby does it
// (stand_in.hpp), and what follows. Safety comes from the lease alone: a majority of the voters has
// no promise to another node. Pure.
//
// The group may learn it later. While a ring is being formed the group takes no message, and its
// recovery may still deliver messages of the old holder that other nodes have confirmed. A node
// that began its epoch before that would refuse them, and a session that was reported as protected
// would be lost. So the replica follows the old epoch until a barrier that was sent after the grant
// comes back, or a quorate ring stands without the old holder. Data flows meanwhile.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cluster/gateway/gateway_move.hpp"
#include "cluster/gateway/gateway_views.hpp"
#include "cluster/gateway/watch/holder_pulse.hpp"

namespace vpnha::node {

// Where standbys stand in, Pacemaker is to promote the one that does: of equal scores it takes any.
// The promoted node's is higher than a standby's by more than cib-templates/apart.crm takes off it.
inline constexpr int kScoreFirstToStandIn = 1;
inline constexpr int kScorePromoted = 9;

class GatewayStandIn {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Speech& speech;
        EventQueue& events;
        const Attachment& attachment;
        const replica::Replica& replica;
        SavedLease& lease;
        takeover::Takeover& takeover;
        const GatewayView& view;
        const Grants& grants;
        const Blockers& blockers;
        const Members& members;
        const HolderWatch& holder;
        const GatewayMoves& moves;
        const Links& links;
        GatewayVoters& voters;
        History& history;
        const KeeperList& keepers;
    };
    explicit GatewayStandIn(const Parts& parts) : parts_(parts), policy_(parts.settings.stand_in) {}

    // What else decides about it: orders of Pacemaker, other nodes' claims.
    [[nodiscard]] StandIn& policy() { return policy_; }
    [[nodiscard]] const StandIn& policy() const { return policy_; }
    void on_echo(NodeId node, TimePoint now) { pulse_.on_echo(node, now); }

    // After every event.
    void note_turn(TimePoint now) { policy_.note_turn(next_turn(), now); }
    // It asks whether it would be granted the lease, or has claimed it: whether it continues.
    // False: it does neither.
    bool watch_claim(TimePoint now, Effects& effects);
    // It serves in another node's place: whether it continues.
    void watch_standing_in(TimePoint now, Effects& effects);
    // It is a standby: whether it asks for the lease now.
    void watch_turn(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // The lease was granted to it.
    void begin(TimePoint now, Effects& effects);
    void emit_barrier(Effects& effects);
    void on_barrier(NodeId sender, const wire::Barrier& barrier, TimePoint now, Effects& effects);
    // All messages of the old holder may have been delivered.
    void await_group(TimePoint now, Effects& effects);
    // This node's epoch was sent to the group.
    void on_notified(TimePoint now);
    // A hello of that member, which the replica has taken.
    void note_hello(NodeId sender, TimePoint now);
    void yield_to_others(TimePoint now);
    // Pacemaker promotes it.
    void confirm(TimePoint now, Effects& effects);
    void give_up_claim(std::string_view why, TimePoint now, Effects& effects);
    // Silent at once, or at the end of the step under way.
    void end(std::string_view why, TimePoint now, Effects& effects);

    // What this adds to the promotion score of a node that has lost so many sides.
    [[nodiscard]] int score(unsigned loss) const;

  private:
    [[nodiscard]] lease::Engine& engine() { return parts_.lease.engine(); }
    [[nodiscard]] const lease::Engine& engine() const { return parts_.lease.engine(); }
    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    [[nodiscard]] std::string tag() const { return parts_.keepers.tag(); }
    // In whose place: the node of the newest epoch in the group.
    [[nodiscard]] NodeId last_holder() const { return parts_.replica.epoch().node; }
    [[nodiscard]] bool may_stand_in() const;
    [[nodiscard]] std::optional<StandIn::Turn> next_turn() const;
    // Its place among the standbys that could, without these.
    [[nodiscard]] std::size_t rank_without(const std::set<NodeId>& gone) const;
    void watch_pulse(const StandIn::Turn& turn, TimePoint now, Effects& effects);

    Parts parts_;
    StandIn policy_;
    HolderPulse pulse_;
};

}  // namespace vpnha::node
