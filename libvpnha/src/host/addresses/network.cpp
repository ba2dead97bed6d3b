// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "host/addresses/packet.hpp"
#include "host/addresses/reply_routes.hpp"
#include "host/addresses/secondaries.hpp"

namespace vpnha::adapters {

namespace {

bool is_vip(const config::Gateway& gateway, const IpAddress& address) {
    const auto covered = gateway.covered();
    return std::any_of(covered.begin(), covered.end(), [&address](const config::Covered& each) {
        return each.is_vip() && each.net.address == address;
    });
}

// For each pool: only packets to a client use the route table, whoever else is in the pool.
std::vector<PolicyRule> rules_to_pools(const config::Gateway& gateway) {
    std::vector<PolicyRule> rules;
    rules.reserve(gateway.pools.size());
    for (const IpPrefix& pool : gateway.pools) {
        rules.push_back({.is_v6 = !pool.address.is_v4(),
                         .from = std::nullopt,
                         .mark = std::nullopt,
                         .table = gateway.route_table,
                         .preference = gateway.rule_preference,
                         .to = IpPrefix{pool.address.masked(pool.length), pool.length}});
    }
    return rules;
}

// A rule for each network behind a client would cost every packet of the node a comparison.
PolicyRule rule_to_networks(const config::Gateway& gateway, bool is_v6) {
    return {.is_v6 = is_v6,
            .from = std::nullopt,
            .mark = std::nullopt,
            .table = gateway.route_table,
            .preference = gateway.rule_preference,
            .to = std::nullopt,
            .passes_default = true};
}

std::vector<PolicyRule> reply_rules(const config::Gateway& gateway) {
    std::vector<PolicyRule> rules;
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = gateway.side(which);
        for (const PolicyRule& rule :
             rules_from(side.addresses, gateway.reply_table(which), gateway.rule_preference)) {
            if (std::any_of(side.default_via.begin(), side.default_via.end(),
                            [&](const IpAddress& via) { return via.is_v4() != rule.is_v6; })) {
                rules.push_back(rule);
            }
        }
    }
    return rules;
}

std::string text_of(const PolicyRule& rule) {
    return rule.from ? fmt::format("from {}", to_string(*rule.from))
           : rule.to ? fmt::format("to {}", to_string(*rule.to))
                     : fmt::format("to {} networks behind clients", rule.is_v6 ? "IPv6" : "IPv4");
}

// charon makes no routes here (install_routes = no). A packet for a virtual address needs one
// before the kernel searches for its policy; its SA then determines its path.
std::vector<TableRoute> routes_to_virtual_pools(const config::Gateway& gateway) {
    std::vector<TableRoute> routes;
    for (const config::Facts& protocol : gateway.protocols.facts()) {
        for (const IpPrefix& pool : protocol.led_outside) {
            routes.push_back({IpPrefix{pool.address.masked(pool.length), pool.length}, std::nullopt,
                              gateway.route_table});
        }
    }
    return routes;
}

std::vector<TableRoute> routes_of(const config::Gateway& gateway, LinkSide which) {
    const config::Side& side = gateway.side(which);
    std::vector<TableRoute> routes =
        routes_by(side.default_via, side.addresses, gateway.reply_table(which));
    if (which == LinkSide::outside) {
        const std::vector<TableRoute> to_pools = routes_to_virtual_pools(gateway);
        routes.insert(routes.end(), to_pools.begin(), to_pools.end());
    }
    return routes;
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

std::vector<PolicyRule> LinuxNetwork::rules_of(const config::Gateway& gateway) const {
    std::vector<PolicyRule> rules = rules_to_pools(gateway);
    for (const bool is_v6 : {false, true}) {
        if (with_networks_.contains({gateway.id, is_v6})) {
            rules.push_back(rule_to_networks(gateway, is_v6));
        }
    }
    const std::vector<PolicyRule> replies = reply_rules(gateway);
    rules.insert(rules.end(), replies.begin(), replies.end());
    return rules;
}

Result<void> LinuxNetwork::set_networks(GatewayId gateway, bool is_v6, bool are_there) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    if (!are_there) {
        // The rule leads to no route then; it is removed with the others.
        const auto protocols = with_networks_.find({gateway, is_v6});
        if (--protocols->second == 0) {
            with_networks_.erase(protocols);
        }
        return {};
    }
    ++with_networks_[{gateway, is_v6}];
    return has_addresses_.contains(gateway) ? route_.add_rule(rule_to_networks(*found, is_v6))
                                            : Result<void>();
}

Result<void> LinuxNetwork::add_addresses(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    has_addresses_.insert(gateway);
    // The rules first: the first packet to a VIP finds the clients' routes.
    for (const PolicyRule& rule : rules_of(*found)) {
        VPNHA_CHECK(route_.add_rule(rule));
    }
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = found->side(which);
        VPNHA_TRY(const auto link, route_.find_link(side.interface));
        if (!link) {
            return fail(Errc::not_found,
                        fmt::format("there is no interface {}; create it or correct the "
                                    "configuration",
                                    side.interface));
        }
        VPNHA_CHECK(keep_secondaries(side.interface));
        for (const IpPrefix& vip : side.addresses) {
            VPNHA_CHECK(route_.add_address(link->index, vip));
        }
        // A link that is down accepts no route; missing() names them when it is up.
        for (const TableRoute& route : routes_of(*found, which)) {
            if (link->is_up) {
                VPNHA_CHECK(route_.add_route(link->index, route));
            }
        }
    }
    return {};
}

Result<void> LinuxNetwork::remove_addresses(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    has_addresses_.erase(gateway);
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = found->side(which);
        VPNHA_TRY(const auto link, route_.find_link(side.interface));
        if (!link) {
            continue;  // A removed device has lost its addresses, too.
        }
        for (const IpPrefix& vip : side.addresses) {
            VPNHA_CHECK(route_.flush_address(link->index, vip));
        }
    }
    return delete_routing(*found);
}

Result<std::string> LinuxNetwork::missing(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    std::vector<std::string> missing;
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = found->side(which);
        VPNHA_TRY(const auto link, route_.find_link(side.interface));
        if (!link) {
            continue;
        }
        VPNHA_TRY(const std::vector<IpPrefix> present, route_.addresses(link->index));
        for (const IpPrefix& vip : side.addresses) {
            if (std::find(present.begin(), present.end(), vip) == present.end()) {
                missing.push_back(fmt::format("{} on {}", to_string(vip), side.interface));
            }
        }
        for (const TableRoute& route : routes_of(*found, which)) {
            VPNHA_TRY(const bool there, route_.has_route(link->index, route));
            if (link->is_up && !there) {
                missing.push_back(fmt::format("route to {} in table {}",
                                              to_string(route.destination), route.table));
            }
        }
    }
    std::vector<PolicyRule> present;
    for (const bool is_v6 : {false, true}) {
        VPNHA_CHECK(route_.for_each_rule(is_v6, [&present](const ListedRule& listed) {
            if (listed.is_own) {
                present.push_back(listed.rule);
            }
        }));
    }
    for (const PolicyRule& rule : rules_of(*found)) {
        if (std::find(present.begin(), present.end(), rule) == present.end()) {
            missing.push_back("policy rule " + text_of(rule));
        }
    }
    return fmt::format("{}", fmt::join(missing, ", "));
}

Result<void> LinuxNetwork::delete_routing(const config::Gateway& gateway) {
    for (const LinkSide which : kLinkSides) {
        VPNHA_TRY(const auto link, route_.find_link(gateway.side(which).interface));
        // A device that is gone, or went down, has lost its routes.
        for (const TableRoute& route : routes_of(gateway, which)) {
            if (link) {
                VPNHA_CHECK(route_.delete_route(link->index, route));
            }
        }
    }
    std::vector<PolicyRule> rules;
    for (const std::uint32_t table : {gateway.route_table, gateway.reply_table(LinkSide::outside),
                                      gateway.reply_table(LinkSide::inside)}) {
        for (const bool is_v6 : {false, true}) {
            rules.push_back({.is_v6 = is_v6,
                             .from = std::nullopt,
                             .mark = std::nullopt,
                             .table = table,
                             .preference = gateway.rule_preference});
        }
    }
    // Also for a gateway that no longer uses IPv6. A kernel without IPv6 has no rule.
    for (const PolicyRule& rule : rules) {
        auto deleted = route_.delete_rule(rule);
        if (!deleted && !(rule.is_v6 && deleted.error().code == Errc::unsupported)) {
            return deleted;
        }
    }
    return {};
}

Result<void> LinuxNetwork::forget_unresolved(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    for (const LinkSide which : kLinkSides) {
        VPNHA_TRY(const auto link, route_.find_link(found->side(which).interface));
        if (link) {
            VPNHA_CHECK(route_.forget_unresolved(link->index));
        }
    }
    return {};
}

Result<void> LinuxNetwork::announce(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    // A side that is down does not affect the other one.
    Result<void> done;
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = found->side(which);
        const Result<void> notified = announce_addresses(side.interface, side.addresses);
        done = done ? notified : done;
    }
    return done;
}

Result<void> LinuxNetwork::flush(GatewayId gateway) {
    VPNHA_TRY(const config::Gateway* const found, find(gateway));
    has_addresses_.erase(gateway);
    std::vector<LinkAddress> leftovers;
    VPNHA_CHECK(route_.for_each_address([&](const LinkAddress& address) {
        if (is_vip(*found, address.local.address)) {
            leftovers.push_back(address);
        }
    }));
    for (const LinkAddress& leftover : leftovers) {
        VPNHA_CHECK(route_.flush_address(leftover.link, leftover.local));
    }
    return delete_routing(*found);
}

}  // namespace vpnha::adapters
