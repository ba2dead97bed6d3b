// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "adapters/packet.hpp"
#include "adapters/text_file.hpp"

namespace vpnha::adapters {

namespace {

std::array<const config::Side*, 2> sides_of(const config::Gateway& gateway) {
    return {&gateway.outside, &gateway.inside};
}

bool is_vip(const config::Gateway& gateway, const IpAddress& address) {
    const auto sides = sides_of(gateway);
    return std::any_of(sides.begin(), sides.end(), [&address](const config::Side* side) {
        return std::any_of(side->addresses.begin(), side->addresses.end(),
                           [&address](const IpPrefix& vip) { return vip.address == address; });
    });
}

// The route table serves both; a gateway without IPv6 needs no IPv6 of its kernel.
bool speaks_ipv6(const config::Gateway& gateway) {
    const auto is_v6 = [](const IpPrefix& prefix) { return !prefix.address.is_v4(); };
    const auto sides = sides_of(gateway);
    return std::any_of(gateway.l2tp.pools.begin(), gateway.l2tp.pools.end(), is_v6) ||
           std::any_of(sides.begin(), sides.end(), [&is_v6](const config::Side* side) {
               return std::any_of(side->addresses.begin(), side->addresses.end(), is_v6);
           });
}

PolicyRule rule_of(const config::Gateway& gateway, bool is_v6) {
    return {.is_v6 = is_v6,
            .from = std::nullopt,
            .mark = std::nullopt,
            .table = gateway.route_table,
            .preference = gateway.rule_preference};
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
    VPNHA_CHECK(route_.add_rule(rule_of(*found, false)));
    if (speaks_ipv6(*found)) {
        VPNHA_CHECK(route_.add_rule(rule_of(*found, true)));
    }
    for (const config::Side* side : sides_of(*found)) {
        VPNHA_TRY(const auto link, route_.find_link(side->interface));
        if (!link) {
            return fail(Errc::not_found,
                        fmt::format("there is no interface {}; create it or correct the "
                                    "configuration",
                                    side->interface));
        }
        VPNHA_CHECK(keep_secondaries(side->interface));
        for (const IpPrefix& vip : side->addresses) {
            VPNHA_CHECK(route_.add_address(link->index, vip));
        }
    }
    return {};
}

Result<void> LinuxNetwork::remove_addresses(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    for (const config::Side* side : sides_of(*found)) {
        VPNHA_TRY(const auto link, route_.find_link(side->interface));
        if (!link) {
            continue;  // A device that is gone took its addresses along.
        }
        for (const IpPrefix& vip : side->addresses) {
            VPNHA_CHECK(route_.flush_address(link->index, vip));
        }
    }
    return delete_rules(*found);
}

Result<void> LinuxNetwork::delete_rules(const config::Gateway& gateway) {
    VPNHA_CHECK(route_.delete_rule(rule_of(gateway, false)));
    // Also of a gateway that speaks no IPv6 any more. A kernel without IPv6 has no rule.
    auto deleted = route_.delete_rule(rule_of(gateway, true));
    return !deleted && deleted.error().code == Errc::unsupported ? Result<void>{} : deleted;
}

Result<void> LinuxNetwork::announce(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    for (const config::Side* side : sides_of(*found)) {
        VPNHA_CHECK(announce_addresses(side->interface, side->addresses));
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
        VPNHA_CHECK(route_.flush_address(leftover.link, leftover.local));
    }
    return delete_rules(*found);
}

}  // namespace vpnha::adapters
