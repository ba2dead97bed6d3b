// SPDX-License-Identifier: GPL-2.0-or-later
// The node's state as the control socket shows it: docs/reference/control-protocol.md has the
// shapes.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "daemon/admission.hpp"
#include "daemon/checks/quorum_mode.hpp"
#include "daemon/devices.hpp"
#include "daemon/views/session_views.hpp"
#include "host/lease/lease_links.hpp"
#include "ports/gate.hpp"
#include "protocols/backend.hpp"
#include "protocols/ppp/backend/stray_sessions.hpp"
#include "services/accounting/backend/authorization_server.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

// The parts of a status that the node does not know.
struct Around {
    std::string_view version;  // Of this vpnhad.
    const ports::Gate& gate;
    TimePoint now{};
    QuorumMode quorum;
    // Of each gateway that has one.
    std::map<GatewayId, SessionCounts> sessions{};
    // Why Corosync does not encrypt; empty when it does.
    std::string unencrypted_because;
    bool unencrypted_allowed = false;
    Restart restart;
    std::vector<const Admission*> admissions;  // Of each network namespace.
    std::vector<DeviceWarning> devices{};
    std::vector<StraySession> strays{};  // Sessions of this node that no gateway keeps.
    // Conflicts of other programs with a gateway's routing.
    std::function<std::vector<std::string>(GatewayId)> routing;
    // Those of the protocols that a gateway has.
    const std::vector<ports::Backend*>& backends;
    // None: requests of RADIUS servers are not received.
    std::vector<const adapters::AuthorizationCounters*> authorizations{};
    adapters::LeaseCounters lease;
    std::uint64_t plugin_malformed = 0;   // Messages of pppd's plugin.
    std::uint64_t control_malformed = 0;  // Requests at the control socket.
};

[[nodiscard]] std::string_view name_of(wire::Level level);
// Null when the member has not introduced itself.
[[nodiscard]] nlohmann::json name_of_member(const node::Node& node, NodeId member);

[[nodiscard]] nlohmann::json status_view(const node::Node& node, const Around& around);
[[nodiscard]] nlohmann::json peers_view(const node::Node& node);
[[nodiscard]] nlohmann::json differences_view(const node::Node& node);

}  // namespace vpnha::runtime
