// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "adapters/packet.hpp"

namespace vpnha::adapters {

namespace {

std::array<const config::Side*, 2> sides_of(const config::Gateway& gateway) {
    return {&gateway.outside, &gateway.inside};
}

bool is_vip(const config::Gateway& gateway, Ipv4Address address) {
    const auto sides = sides_of(gateway);
    return std::any_of(sides.begin(), sides.end(), [address](const config::Side* side) {
        return std::any_of(side->addresses.begin(), side->addresses.end(),
                           [address](const Ipv4Prefix& vip) { return vip.address == address; });
    });
}

}  // namespace

Result<LinuxNetwork> LinuxNetwork::create(const config::Config& config) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return LinuxNetwork(config, std::move(route));
}

Result<const config::Gateway*> LinuxNetwork::find(GatewayId gateway) const {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    return found;
}

Result<void> LinuxNetwork::add_addresses(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    // The rule first: the first packet to a VIP finds the clients' routes.
    VPNHA_CHECK(route_.add_rule(found->route_table, found->rule_preference));
    for (const config::Side* side : sides_of(*found)) {
        VPNHA_TRY(const LinkIndex link, route_.find_link(side->interface));
        for (const Ipv4Prefix& vip : side->addresses) {
            VPNHA_CHECK(route_.add_address(link, vip));
        }
    }
    return {};
}

Result<void> LinuxNetwork::remove_addresses(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    for (const config::Side* side : sides_of(*found)) {
        const auto link = route_.find_link(side->interface);
        if (!link && link.error().code == Errc::not_found) {
            continue;  // A device that is gone took its addresses along.
        }
        VPNHA_CHECK(link);
        for (const Ipv4Prefix& vip : side->addresses) {
            VPNHA_CHECK(route_.delete_address(*link, vip));
        }
    }
    return route_.delete_rule(found->route_table, found->rule_preference);
}

Result<void> LinuxNetwork::announce(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    for (const config::Side* side : sides_of(*found)) {
        VPNHA_CHECK(send_gratuitous_arp(side->interface, side->addresses));
    }
    return {};
}

Result<void> LinuxNetwork::flush(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    std::vector<LinkAddress> leftovers;
    VPNHA_CHECK(route_.for_each_address([&](const LinkAddress& address) {
        if (is_vip(*found, address.local.address)) {
            leftovers.push_back(address);
        }
    }));
    for (const LinkAddress& leftover : leftovers) {
        VPNHA_CHECK(route_.delete_address(leftover.link, leftover.local));
    }
    return route_.delete_rule(found->route_table, found->rule_preference);
}

}  // namespace vpnha::adapters
