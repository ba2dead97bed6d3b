// SPDX-License-Identifier: GPL-2.0-or-later
// The epochs of this node: a promotion's wait for its grant, and what a promoted node claims in the
// group. Pure. Whether it is granted is the lease's (cluster/lease/engine.hpp); what follows from a
// grant, or from the end of a lease, is decided by the role (gateway_role.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/gateway/gateway_views.hpp"
#include "cluster/gateway/lease/grants.hpp"
#include "cluster/gateway/transition.hpp"

namespace vpnha::node {

class GatewayLease {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const Speech& speech;
        EventQueue& events;
        replica::Replica& replica;
        SavedLease& lease;
        KeeperList& keepers;
        const GatewayVoters& voters;
        const GatewayView& view;
        Transition& transition;
    };
    explicit GatewayLease(const Parts& parts) : parts_(parts) {}

    // Step grant: asks for it, as soon as the replica has what there is.
    void begin_grant(TimePoint now, Effects& effects);
    // The replica that a promotion waits for may be complete.
    void continue_promoting(TimePoint now);
    void refuse_grant(const std::string& why);
    // The time for the grant may be over.
    void on_time(TimePoint now, Effects& effects);
    // The group has changed: who comes back abstains at first.
    void on_members(TimePoint now);

    // In the group, in the epoch that was granted.
    [[nodiscard]] Result<void> claim(TimePoint now, Effects& effects);
    // A lease that had lapsed was granted anew without a quorate ring, and there is one now.
    [[nodiscard]] bool claim_is_due() const;
    // In the epoch that was granted after a lapse. False: it is given back.
    bool claim_anew(TimePoint now, Effects& effects);
    void decline(const std::string& why, Effects& effects);
    // A promoted node whose lease is gone: its keepers pause.
    void be_silent(lease::End why, Effects& effects);
    // The promotion is over; the lease may have lapsed, or been granted anew, in the midst of it.
    void heed_lapse(TimePoint now, Effects& effects);
    // A voter has granted a higher epoch than this one, which no majority did; or a member
    // remembers one that a majority has forgotten. It would refuse this node until there is a newer
    // one.
    void claim_above_members(TimePoint now, Effects& effects);

    [[nodiscard]] Grants& grants() { return grants_; }
    [[nodiscard]] const Grants& grants() const { return grants_; }

  private:
    [[nodiscard]] lease::Engine& engine() { return parts_.lease.engine(); }
    [[nodiscard]] const lease::Engine& engine() const { return parts_.lease.engine(); }
    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    [[nodiscard]] std::string tag() const { return parts_.keepers.tag(); }
    // Why this node is not to claim the gateway with its replica; empty: it may.
    [[nodiscard]] std::string objection_to_claim() const;
    void ask_for_grant(TimePoint now);
    void await_voters(const std::vector<NodeId>& missing, TimePoint now, Effects& effects);

    Parts parts_;
    Grants grants_;
};

}  // namespace vpnha::node
