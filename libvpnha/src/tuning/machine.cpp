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

}  // namespace

Demand demand_of(const config::Config& config) {
    Demand demand{.lease_port = config.lease_port, .devices = {}};
    for (const config::Gateway& gateway : config.gateways) {
        demand.l2tp |= gateway.l2tp.has_value();
        demand.pptp |= gateway.pptp.has_value();
        demand.ipsec |= gateway.ipsec.has_value();
        demand.flows |= gateway.conntrack.replicate;
        demand.clients += clients_of(gateway);
        demand.clients_of_pptp += gateway.pptp ? clients_of(gateway) : 0;
        demand.devices.insert({gateway.outside.interface, gateway.inside.interface});
    }
    return demand;
}

}  // namespace vpnha::tuning
