// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/routing_conflicts.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

namespace {

// A routing table that a gateway uses, and the setting of its number.
struct Table {
    std::uint32_t number = 0;
    std::string remedy;
};

std::vector<Table> tables_of(const config::Gateway& gateway) {
    std::vector<Table> tables{
        {gateway.route_table,
         fmt::format("give 'route_table' of [gateway.{}] another number", gateway.name)}};
    for (const LinkSide which : kLinkSides) {
        if (!gateway.side(which).default_via.empty()) {
            tables.push_back({gateway.reply_table(which),
                              fmt::format("'default_via' of gateway {} needs it: give its other "
                                          "user another number",
                                          gateway.name)});
        }
    }
    if (const auto marked = gateway.protocols.first(
            [](const config::Facts& protocol) { return protocol.is_marked; })) {
        tables.push_back({gateway.mark_table(),
                          fmt::format("{} of gateway {} needs it: give its other user another "
                                      "number",
                                      marked->title, gateway.name)});
    }
    return tables;
}

std::string text_of(const TableRoute& route) {
    return fmt::format("{}{}",
                       route.destination.length == 0 ? "default" : to_string(route.destination),
                       route.via ? fmt::format(" via {}", to_string(*route.via)) : "");
}

class Search {
  public:
    Search(const config::Config& config, RouteNetlink route)
        : config_(config), route_(std::move(route)) {}

    Result<RoutingConflicts> run() {
        for (const bool is_v6 : {false, true}) {
            VPNHA_CHECK(route_.for_each_rule(is_v6, [this](const ListedRule& rule) {
                if (!rule.is_own) {
                    rules_.push_back(rule);
                }
            }));
        }
        VPNHA_CHECK(route_.for_each_link([this](const Link& link) {
            if (link.vrf_table != 0) {
                vrfs_[link.vrf_table] = link.name;
            }
        }));
        for (const config::Gateway& gateway : config_.gateways) {
            for (const Table& table : tables_of(gateway)) {
                VPNHA_CHECK(look_at(gateway, table));
            }
            look_at_preference(gateway);
            VPNHA_CHECK(look_at_earlier(gateway));
        }
        return std::move(found_);
    }

  private:
    void add(const config::Gateway& gateway, std::string text) {
        found_[gateway.id].push_back(std::move(text));
    }

    Result<void> look_at(const config::Gateway& gateway, const Table& table) {
        std::string user;
        if (const auto vrf = vrfs_.find(table.number); vrf != vrfs_.end()) {
            user = fmt::format("is that of the VRF {}", vrf->second);
        } else {
            std::size_t count = 0;
            std::string first;
            VPNHA_CHECK(route_.for_each_route_in(table.number, [&](const ListedRoute& listed) {
                if (!listed.is_own && count++ == 0) {
                    first = text_of(listed.route);
                }
            }));
            if (count != 0) {
                user = fmt::format("has {} of another program, such as {}",
                                   count == 1 ? "a route" : fmt::format("{} routes", count), first);
            }
        }
        if (user.empty()) {
            const auto rule =
                std::find_if(rules_.begin(), rules_.end(), [&table](const ListedRule& each) {
                    return each.rule.table == table.number && !each.continues;
                });
            if (rule != rules_.end()) {
                user = fmt::format("is used by the rule {} of another program: {}",
                                   rule->rule.preference, rule->text);
            }
        }
        if (!user.empty()) {
            add(gateway, fmt::format("table {} {}; {}", table.number, user, table.remedy));
        }
        return {};
    }

    void look_at_preference(const config::Gateway& gateway) {
        for (const ListedRule& each : rules_) {
            if (each.rule.preference == gateway.rule_preference) {
                add(gateway, fmt::format("preference {} is used by a rule of another program: {}; "
                                         "give 'rule_preference' of [gateway.{}] another number",
                                         gateway.rule_preference, each.text, gateway.name));
            }
        }
    }

    // Checks rules that route a client's packets elsewhere before the gateway's rules.
    Result<void> look_at_earlier(const config::Gateway& gateway) {
        for (const ListedRule& each : rules_) {
            if (each.rule.preference >= gateway.rule_preference || each.continues ||
                each.is_l3mdev || each.is_selective || each.rule.table == RT_TABLE_LOCAL) {
                continue;
            }
            for (const IpPrefix& pool : gateway.pools) {
                if (pool.address.is_v4() == each.rule.is_v6 ||
                    (each.rule.to && !overlap(*each.rule.to, pool))) {
                    continue;
                }
                VPNHA_TRY(const bool leads, leads_to(each, pool));
                if (leads) {
                    add(gateway,
                        fmt::format("rule {}, {}, leads packets to pool {} elsewhere before rule "
                                    "{} is asked; give 'rule_preference' of [gateway.{}] a lower "
                                    "number",
                                    each.rule.preference, each.text, to_string(pool),
                                    gateway.rule_preference, gateway.name));
                    break;
                }
            }
        }
        return {};
    }

    Result<bool> leads_to(const ListedRule& rule, const IpPrefix& pool) {
        if (rule.rule.table == RT_TABLE_UNSPEC) {
            return true;  // It drops them.
        }
        bool leads = false;
        VPNHA_CHECK(route_.for_each_route_in(rule.rule.table, [&](const ListedRoute& listed) {
            const IpPrefix& to = listed.route.destination;
            leads =
                leads || (to.address.is_v4() == pool.address.is_v4() && to.length <= pool.length &&
                          overlap(to, pool) && (to.length != 0 || !rule.rule.passes_default));
        }));
        return leads;
    }

    const config::Config& config_;
    RouteNetlink route_;
    std::vector<ListedRule> rules_;  // Of other programs.
    std::map<std::uint32_t, std::string> vrfs_;
    RoutingConflicts found_;
};

}  // namespace

Result<RoutingConflicts> routing_conflicts(const config::Config& config) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return Search(config, std::move(route)).run();
}

}  // namespace vpnha::adapters
