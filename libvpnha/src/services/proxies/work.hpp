// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of clients of resumed sessions, for which this node answers ARP and neighbour
// solicitations. The core needs no result.
#pragma once

#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "protocols/ppp/model/proxied_address.hpp"

namespace vpnha::node {

// Starts, and notifies the neighbours.
struct AnswerForClient {
    GatewayId gateway;
    std::vector<ppp::ProxiedAddress> addresses;
};
// Stops. Also for a session that this node has negotiated: its pppd is killed by a demotion, and
// leaves its entry in the kernel.
struct StopAnswering {
    GatewayId gateway;
    std::vector<ppp::ProxiedAddress> addresses;
};

using ProxyWork = std::variant<AnswerForClient, StopAnswering>;
template <effects::OneOf<ProxyWork> What>
ProxyWork work_of(const What&);

}  // namespace vpnha::node
