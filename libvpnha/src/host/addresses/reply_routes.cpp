// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/reply_routes.hpp"

#include <algorithm>

namespace vpnha::adapters {

std::vector<PolicyRule> rules_from(const std::vector<IpPrefix>& addresses, std::uint32_t table,
                                   std::uint32_t preference) {
    std::vector<PolicyRule> rules;
    rules.reserve(addresses.size());
    for (const IpPrefix& address : addresses) {
        rules.push_back({.is_v6 = !address.address.is_v4(),
                         .from = address.address,
                         .mark = std::nullopt,
                         .table = table,
                         .preference = preference});
    }
    return rules;
}

std::vector<TableRoute> routes_by(const std::vector<IpAddress>& routers,
                                  const std::vector<IpPrefix>& addresses, std::uint32_t table) {
    std::vector<TableRoute> routes;
    for (const IpAddress& via : routers) {
        for (const IpPrefix& address : addresses) {
            const IpPrefix net{address.address.masked(address.length), address.length};
            const TableRoute route{net, std::nullopt, table};
            if (address.address.is_v4() == via.is_v4() && address.length < via.bits() &&
                std::find(routes.begin(), routes.end(), route) == routes.end()) {
                routes.push_back(route);
            }
        }
        routes.push_back({{via.masked(0), 0}, via, table});
    }
    return routes;
}

}  // namespace vpnha::adapters
