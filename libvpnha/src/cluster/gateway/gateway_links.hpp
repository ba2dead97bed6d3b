// SPDX-License-Identifier: GPL-2.0-or-later
// When a promoted node gives the gateway away: it has lost the outside or the inside, or is granted
// no lease, and another node is better off. It does so by its promotion score: Pacemaker demotes it
// and promotes the better node, as if an administrator had moved the role. It counts no failure,
// and the sessions are handed over by a living node. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/gateway/gateway_views.hpp"

namespace vpnha::node {

class GatewayLinks {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const GatewayView& view;
        const replica::Replica& replica;
        SavedLease& lease;
        const Members& members;
        const GatewayVoters& voters;
        const KeeperList& keepers;
    };
    explicit GatewayLinks(const Parts& parts) : parts_(parts), links_(parts.settings.links) {}

    // See Links::set_macs().
    void set_macs(const SideMacs& macs) { links_.set_macs(macs); }
    // The device of that side has got or lost its carrier; one of the neighbours there has
    // answered.
    void on_carrier(LinkSide side, bool carrier, TimePoint now, Effects& effects);
    void on_neighbour(LinkSide side, const IpAddress& address, TimePoint now);
    // Addresses were removed by another program, and are back: if this node serves, it announces
    // them as at a promotion.
    void announce_again(TimePoint now, Effects& effects);
    // The step announce has run: it is repeated some times.
    void plan_announcements(TimePoint now);
    void end_announcements() { announcements_.clear(); }

    void ask_neighbours(TimePoint now, Effects& effects);
    void announce_due(TimePoint now, Effects& effects);
    // Logs what is new of the links, and decides whether another node is to have the gateway.
    void watch_links(TimePoint now, Effects& effects);
    // A promoted node that is granted no lease, where another one could be, gives the role away.
    void watch_own_lease(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // Sides by which this node's score is lower.
    [[nodiscard]] unsigned scored_loss() const;
    [[nodiscard]] const Links& state() const { return links_; }
    [[nodiscard]] const OwnLease& own_lease() const { return own_lease_; }

  private:
    [[nodiscard]] std::string tag() const { return parts_.keepers.tag(); }

    Parts parts_;
    Links links_;
    OwnLease own_lease_;
    std::vector<TimePoint> announcements_;  // Repeated, to the neighbours.
};

}  // namespace vpnha::node
