// SPDX-License-Identifier: GPL-2.0-or-later
// The cores that one gateway joins, and the state that all its parts use.
#pragma once

#include <span>
#include <utility>

#include "cluster/gateway/attachment.hpp"
#include "cluster/gateway/blockers.hpp"
#include "cluster/gateway/event_queue.hpp"
#include "cluster/gateway/gateway_settings.hpp"
#include "cluster/gateway/keeper_list.hpp"
#include "cluster/gateway/lease/saved_lease.hpp"
#include "cluster/gateway/members.hpp"
#include "cluster/gateway/transition.hpp"
#include "cluster/gateway/watch/history.hpp"
#include "cluster/replica/gateway_clock.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/takeover/takeover.hpp"

namespace vpnha::node {

struct GatewayCores {
    GatewayCores(GatewaySettings given, const Speech& speaks,
                 std::span<const keepers::Make> families)
        : settings(std::move(given)),
          speech(speaks),
          replica(settings.id, settings.lease.self.node),
          lease(settings.id, settings.lease, settings.durable, settings.started_at, events),
          clock(settings.id),
          keepers(
              {settings.id, settings.name, attachment, replica, takeover, lease.engine(), clock},
              settings.keepers, families) {}

    const GatewaySettings settings;
    const Speech& speech;
    EventQueue events;
    Attachment attachment;
    replica::Replica replica;
    SavedLease lease;
    takeover::Takeover takeover;
    Transition transition;
    replica::GatewayClock clock;
    KeeperList keepers;
    Members members;
    Blockers blockers;
    History history;
};

}  // namespace vpnha::node
