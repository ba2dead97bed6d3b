// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/vip_routes.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

namespace vpnha::adapters {

namespace {

std::optional<IpAddress> first_vip(const VipRoutes& settings, bool is_v6) {
    for (const IpPrefix& vip : settings.vips) {
        if (vip.address.is_v4() != is_v6) {
            return vip.address;
        }
    }
    return std::nullopt;
}

PolicyRule rule_of(const VipRoutes& settings, bool is_v6) {
    return {.is_v6 = is_v6,
            .from = std::nullopt,
            .mark = settings.mark,
            .table = settings.table,
            .preference = settings.preference};
}

}  // namespace

std::vector<TableRoute> routes_from_vip(const VipRoutes& settings, bool is_v6,
                                        const std::vector<TableRoute>& main) {
    std::vector<TableRoute> routes;
    const auto via = std::ranges::find_if(
        settings.default_via, [is_v6](const IpAddress& each) { return each.is_v4() != is_v6; });
    for (const TableRoute& each : main) {
        const bool is_default = each.destination.length == 0;
        if (each.destination.address.is_v4() != is_v6 &&
            (!is_default || via == settings.default_via.end())) {
            routes.push_back({each.destination, each.via, settings.table});
        }
    }
    if (via != settings.default_via.end()) {
        routes.push_back({{via->masked(0), 0}, *via, settings.table});
    }
    // Routes on the link come first: they lead to the routers of the others.
    std::ranges::stable_partition(routes, [](const TableRoute& each) { return !each.via; });
    return routes;
}

Result<void> add_vip_routes(RouteNetlink& route, const VipRoutes& settings) {
    VPNHA_TRY(const auto link, route.find_link(settings.interface));
    if (!link) {
        return fail(Errc::not_found, "there is no interface " + settings.interface);
    }
    std::vector<TableRoute> main;
    VPNHA_CHECK(route.for_each_route_in(RT_TABLE_MAIN, [&](const ListedRoute& each) {
        if (each.over == link->index && each.is_unicast) {
            main.push_back(each.route);
        }
    }));
    for (const bool is_v6 : {false, true}) {
        const auto vip = first_vip(settings, is_v6);
        if (!vip) {
            continue;
        }
        for (const TableRoute& each : routes_from_vip(settings, is_v6, main)) {
            VPNHA_CHECK(route.add_route(link->index, each, vip));
        }
        VPNHA_CHECK(route.add_rule(rule_of(settings, is_v6)));
    }
    return {};
}

Result<void> remove_vip_routes(RouteNetlink& route, const VipRoutes& settings) {
    for (const bool is_v6 : {false, true}) {
        if (first_vip(settings, is_v6)) {
            VPNHA_CHECK(route.delete_rule(rule_of(settings, is_v6)));
        }
    }
    std::vector<ListedRoute> routes;
    VPNHA_CHECK(route.for_each_route_in(settings.table, [&routes](const ListedRoute& each) {
        if (each.is_own) {
            routes.push_back(each);
        }
    }));
    for (const ListedRoute& each : routes) {
        VPNHA_CHECK(route.delete_route(each.over, each.route));
    }
    return {};
}

}  // namespace vpnha::adapters
