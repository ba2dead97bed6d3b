// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/proxies/keeper/client_proxies.hpp"

#include <utility>

#include "protocols/ppp/model/proxied_address.hpp"
#include "services/proxies/work.hpp"

namespace vpnha::keepers {

void ClientProxies::up(const wire::RecordKey& session,
                       const std::vector<ppp::ProxiedAddress>& addresses, Effects& effects) {
    if (!addresses.empty() && up_.emplace(session, addresses).second) {
        effects.emplace_back(node::AnswerForClient{gateway_.id(), addresses});
    }
}

void ClientProxies::down(const wire::RecordKey& session, Effects& effects) {
    if (auto entry = up_.extract(session)) {
        effects.emplace_back(node::StopAnswering{gateway_.id(), std::move(entry.mapped())});
    }
}

void ClientProxies::down_all(Effects& effects) {
    for (auto& [session, addresses] : std::exchange(up_, {})) {
        effects.emplace_back(node::StopAnswering{gateway_.id(), addresses});
    }
}

void ClientProxies::stock_down(const std::vector<ppp::ProxiedAddress>& addresses,
                               Effects& effects) const {
    if (!addresses.empty()) {
        effects.emplace_back(node::StopAnswering{gateway_.id(), addresses});
    }
}

}  // namespace vpnha::keepers
