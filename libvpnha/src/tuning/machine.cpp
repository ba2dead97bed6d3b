// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/machine.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::tuning {

namespace {

std::uint64_t clients_of(const config::Gateway& gateway) {
    std::uint64_t addresses = 0;
    for (const IpPrefix& pool : gateway.pools) {
        addresses += std::uint64_t{1} << (32U - std::min<unsigned>(pool.length, 32));
    }
    return std::min<std::uint64_t>(addresses, limits::kRecordsPerGatewayMax);
}

bool has_ipv6(const std::vector<IpPrefix>& prefixes) {
    return std::ranges::any_of(prefixes,
                               [](const IpPrefix& each) { return !each.address.is_v4(); });
}

}  // namespace

Demand demand_of(const config::Config& config) {
    Demand demand;
    demand.lease_port = config.lease_port;
    for (const config::Gateway& gateway : config.gateways) {
        if (gateway.conntrack.replicate) {
            demand.needs.emplace(kFlows);
        }
        if (has_ipv6(gateway.pools)) {
            demand.needs.emplace(kIpv6Pools);
        }
        std::uint64_t tasks = 1;
        for (const config::Facts& protocol : gateway.protocols.facts()) {
            demand.needs.emplace(protocol.section);
            if (protocol.has_esp && has_ipv6(gateway.outside.addresses)) {
                demand.needs.emplace(kEspOverIpv6);
            }
            if (protocol.ppp_options) {
                demand.needs.emplace(kDialled);
                if (std::ranges::find(demand.daemons, protocol.daemon) == demand.daemons.end()) {
                    demand.daemons.emplace_back(protocol.daemon);
                }
                tasks = std::max(tasks, protocol.tasks_per_client);
            }
        }
        demand.clients += clients_of(gateway);
        demand.tasks += tasks * clients_of(gateway);
        demand.devices.insert({gateway.outside.interface, gateway.inside.interface});
    }
    return demand;
}

}  // namespace vpnha::tuning
