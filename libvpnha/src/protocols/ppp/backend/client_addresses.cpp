// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/client_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::runtime {

namespace {

// An address or network in use, and its owner.
struct Taken {
    IpPrefix net;
    std::string whose;
    bool is_link = false;  // The net of a link, in which a client's own address may lie.
};

void add_nodes(const std::vector<adapters::ClusterNode>& nodes, std::vector<Taken>& taken) {
    for (const adapters::ClusterNode& node : nodes) {
        for (const std::string& link : node.links) {
            if (const auto address = parse_ip(link)) {
                taken.push_back({host_prefix(*address), node.name.empty()
                                                            ? fmt::format("node {}", node.id.value)
                                                            : fmt::format("node {}", node.name)});
            }
        }
    }
}

void add_gateway(const config::Gateway& gateway, std::vector<Taken>& taken) {
    for (const LinkSide which : kLinkSides) {
        const config::Side& side = gateway.side(which);
        for (const IpPrefix& vip : side.addresses) {
            taken.push_back({host_prefix(vip.address), "gateway " + gateway.name});
            taken.push_back({{vip.address.masked(vip.length), vip.length},
                             fmt::format("the link {}", side.interface),
                             true});
        }
        for (const IpAddress& router : side.default_via) {
            taken.push_back({host_prefix(router), "a router"});
        }
        const config::Links& links = gateway.links;
        for (const IpAddress& neighbour :
             which == LinkSide::outside ? links.outside_neighbours : links.inside_neighbours) {
            taken.push_back({host_prefix(neighbour), "a neighbour"});
        }
    }
}

std::vector<Taken> all_taken(const config::Config& config,
                             const std::vector<adapters::ClusterNode>& nodes) {
    std::vector<Taken> taken;
    add_nodes(nodes, taken);
    for (const config::Gateway& gateway : config.gateways) {
        add_gateway(gateway, taken);
    }
    for (const Ipv4Endpoint& server : config.radius.accounting_servers) {
        taken.push_back({host_prefix(IpAddress(server.address)), "a RADIUS server"});
    }
    return taken;
}

}  // namespace

std::string hindrance_of_addresses(const config::Config& config, const config::Gateway& gateway,
                                   const std::vector<adapters::ClusterNode>& nodes,
                                   Ipv4Address client, const std::vector<IpPrefix>& networks) {
    const std::vector<Taken> taken = all_taken(config, nodes);
    const IpAddress address(client);
    const auto owner = std::find_if(taken.begin(), taken.end(), [&address](const Taken& each) {
        return !each.is_link && each.net.address == address;
    });
    if (owner != taken.end()) {
        return fmt::format("the client's address {} is that of {}", to_string(client),
                           owner->whose);
    }
    if (std::none_of(gateway.pools.begin(), gateway.pools.end(),
                     [&address](const IpPrefix& pool) { return contains(pool, address); })) {
        return fmt::format("the client's address {} lies in none of 'pools'", to_string(client));
    }
    for (const IpPrefix& net : networks) {
        const auto met = std::find_if(taken.begin(), taken.end(),
                                      [&net](const Taken& each) { return overlap(each.net, net); });
        if (met != taken.end()) {
            return fmt::format("the network {} behind the client has that of {} in it",
                               to_string(net), met->whose);
        }
    }
    return {};
}

}  // namespace vpnha::runtime
