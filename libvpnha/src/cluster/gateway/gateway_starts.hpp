// SPDX-License-Identifier: GPL-2.0-or-later
// An agent's start and stop, and what a stopped gateway keeps (attachment.hpp). Pure. It stays a
// silent member: its replica follows the group and is a source of snapshots, its sessions stay in
// the kernel behind the shut gate. It is no candidate for anything: its standing is partial, it
// stands in for nobody, and writes no score.
#pragma once

#include <set>
#include <string>

#include "cluster/gateway/gateway_cores.hpp"
#include "cluster/gateway/gateway_move.hpp"
#include "cluster/gateway/gateway_score.hpp"
#include "cluster/gateway/gateway_stand_in.hpp"

namespace vpnha::node {

// It has no state of its own.
class GatewayStarts {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        GatewayCores& cores;
        const GatewayView& view;
        GatewayMoves& moves;
        GatewayStandIn& stand_in;
        GatewayScore& score;
    };
    explicit GatewayStarts(const Parts& parts) : parts_(parts) {}

    // An agent's start. While detached the gateway's messages are ignored.
    void attach(const std::string& resource, const std::set<NodeId>& members, bool quorate,
                TimePoint now, Effects& effects);
    // An agent's stop. True: the gateway is to be demoted now, and leaves at the end of that.
    // False: it takes no part already, which is answered.
    [[nodiscard]] bool begin_leaving(RequestToken request, Effects& effects);
    // RoleLeft. It is silent: what it has is kept, or ends.
    void leave(const RoleLeft& left, TimePoint now, Effects& effects);
    // After every event: what is kept may end.
    void watch_stopped(TimePoint now, Effects& effects);
    // Nothing is kept any more of a gateway that was stopped.
    void end_stopped(Effects& effects);
    // vpnhad ends. The gate shuts, and standbys may serve at once.
    void release_lease(TimePoint now, Effects& effects);

  private:
    [[nodiscard]] std::string tag() const { return parts_.cores.keepers.tag(); }
    void end(Effects& effects);

    Parts parts_;
};

}  // namespace vpnha::node
