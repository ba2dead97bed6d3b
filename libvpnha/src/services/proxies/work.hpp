// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of clients for which this node answers ARP and neighbour solicitations in their place:
// of sessions that it has resumed. What became of it concerns nobody in the core.
#pragma once

#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "protocols/ppp/model/proxied_address.hpp"

namespace vpnha::node {

// From now on, and the neighbours are told.
struct AnswerForClient {
    GatewayId gateway;
    std::vector<ppp::ProxiedAddress> addresses;
};
// No longer. Also of a session that this node has negotiated: its pppd is killed by a demotion, and
// leaves its entry behind.
struct StopAnswering {
    GatewayId gateway;
    std::vector<ppp::ProxiedAddress> addresses;
};

using ProxyWork = std::variant<AnswerForClient, StopAnswering>;
template <effects::OneOf<ProxyWork> What>
ProxyWork work_of(const What&);

}  // namespace vpnha::node
