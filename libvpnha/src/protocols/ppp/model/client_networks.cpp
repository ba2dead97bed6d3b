// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/client_networks.hpp"

#include <algorithm>
#include <iterator>

namespace vpnha::ppp {

std::vector<IpPrefix> networks_outside(const std::vector<IpPrefix>& pools,
                                       const std::vector<IpPrefix>& networks) {
    std::vector<IpPrefix> outside;
    std::copy_if(networks.begin(), networks.end(), std::back_inserter(outside),
                 [&pools](const IpPrefix& net) {
                     return std::none_of(pools.begin(), pools.end(), [&net](const IpPrefix& pool) {
                         return pool.length <= net.length && contains(pool, net.address);
                     });
                 });
    return outside;
}

Result<void> ClientNetworks::add(GatewayId gateway, const std::vector<IpPrefix>& networks) {
    Result<void> done;
    for (const IpPrefix& net : networks) {
        const bool is_v6 = !net.address.is_v4();
        if (counts_[{gateway, is_v6}]++ == 0) {
            const Result<void> led = lead_(gateway, is_v6, true);
            done = done ? led : done;
        }
    }
    return done;
}

void ClientNetworks::remove(GatewayId gateway, const std::vector<IpPrefix>& networks) {
    for (const IpPrefix& net : networks) {
        const bool is_v6 = !net.address.is_v4();
        if (--counts_.at({gateway, is_v6}) == 0) {
            // The present rule leads to no network.
            static_cast<void>(lead_(gateway, is_v6, false));
        }
    }
}

}  // namespace vpnha::ppp
