// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cluster/lease/timing.hpp"
#include "config/schema.hpp"
#include "config/values.hpp"

namespace vpnha::config {

namespace {

bool has_pppd(const Facts& protocol) {
    return protocol.ppp_options.has_value();
}

class Checker {
  public:
    explicit Checker(Draft& draft) : draft_(draft), config_(draft.config), errors_(draft.errors) {}

    void run() {
        if (draft_.is_sound(Section::daemon, "") &&
            config_.control_socket == config_.plugin_socket) {
            errors_.add(Section::daemon, "", "plugin_socket",
                        "'plugin_socket' is the control socket too; give it another path");
        }
        check_lease();
        check_witness();
        check_authorization();
        for (const Gateway& gateway : config_.gateways) {
            check_routing(gateway);
            check_ppp(gateway);
            check_protocols(gateway);
            check_pools(gateway);
            check_common_pool(gateway);
            check_limits(gateway);
            check_accounting(gateway);
            check_addresses(gateway);
            check_neighbours(gateway);
            check_replies(gateway, Section::outside, LinkSide::outside);
            check_replies(gateway, Section::inside, LinkSide::inside);
            check_mark(gateway);
            for (const Gateway& other : config_.gateways) {
                if (&other == &gateway) {
                    break;  // Each pair once, reported at the later one.
                }
                check_pair(other, gateway);
            }
        }
    }

  private:
    // A gateway's own address: its place in the file and its purpose.
    struct Own {
        Section section;
        std::string_view key;
        IpAddress address;
    };

    static std::vector<Own> own_addresses(const Gateway& gateway) {
        std::vector<Own> own;
        for (const Covered& each : gateway.covered()) {
            if (!is_unicast(each.net.address)) {
                continue;  // The reader has refused it already.
            }
            switch (each.what) {
                case Covered::What::outside_vip:
                    own.push_back({Section::outside, "addresses", each.net.address});
                    break;
                case Covered::What::inside_vip:
                    own.push_back({Section::inside, "addresses", each.net.address});
                    break;
                case Covered::What::ppp_local:
                    own.push_back({Section::gateway, "ppp_local", each.net.address});
                    break;
                case Covered::What::pool:
                    break;
            }
        }
        return own;
    }

    void check_lease() {
        if (!draft_.is_sound(Section::lease, "")) {
            return;
        }
        if (!config_.lease_duration && config_.lease_renew != Config().lease_renew) {
            errors_.add(Section::lease, "", "renew",
                        "'renew' is a quarter of the lease where 'duration' is \"auto\"; leave it "
                        "out");
        }
        lease::Timing timing;
        if (config_.lease_duration) {
            timing.lease = *config_.lease_duration;
            timing.renew = config_.lease_renew;
        }
        timing.rate_ppm = config_.clock_rate_ppm;
        timing.grain = config_.clock_grain;
        if (const Result<void> valid = timing.validate(); !valid) {
            errors_.add(Section::lease, "", "renew",
                        fmt::format("{}; change 'renew' or 'duration'", valid.error().detail));
        }
    }

    void check_witness() {
        if (!draft_.is_sound(Section::lease, "")) {
            return;
        }
        const Witness& witness = config_.witness;
        if (!witness.addresses.empty() && witness.name.empty()) {
            errors_.add(Section::lease, "", "witness",
                        "'witness' has no name, which is a part of its key; give it one, like "
                        "witness_name = \"wit1\"");
        }
        if (witness.addresses.empty() && !witness.name.empty()) {
            errors_.add(Section::lease, "", "witness_name",
                        fmt::format("'witness_name' has no addresses; add some, like witness = "
                                    "[\"{}.example.net:{}\"], or leave it out",
                                    witness.name, kWitnessPort));
        }
        for (const HostPort& address : witness.addresses) {
            check_not_a_gateways(address);
        }
    }

    // The gateway's own addresses depend on the lease that the witness votes on.
    void check_not_a_gateways(const HostPort& witness) {
        const Result<IpAddress> number = parse_ip(witness.host);
        for (const Gateway& gateway : config_.gateways) {
            for (const Covered& each : gateway.covered()) {
                if (number && contains(each.net, *number)) {
                    errors_.add(Section::lease, "", "witness",
                                fmt::format("{} belongs to gateway '{}'; give an address that "
                                            "does not move with the promotion",
                                            to_string(*number), gateway.name));
                }
            }
        }
    }

    void check_authorization() {
        const Radius& radius = config_.radius;
        if (!radius.dynamic_authorization || !draft_.is_sound(Section::radius, "")) {
            return;
        }
        if (std::ranges::none_of(config_.gateways, &Gateway::accounting)) {
            errors_.add(Section::radius, "", "dynamic_authorization",
                        "it is for sessions that vpnhad accounts for, and no gateway has "
                        "'accounting'; leave it out");
        }
        for (const IpAddress& client : radius.dynamic_authorization_clients) {
            if (!client.is_v4()) {
                errors_.add(Section::radius, "", "dynamic_authorization_clients",
                            fmt::format("{} is IPv6, and requests are received on IPv4; leave it "
                                        "out",
                                        to_string(client)));
            }
        }
        if (draft_.is_sound(Section::lease, "") &&
            radius.dynamic_authorization_port == config_.lease_port) {
            errors_.add(Section::radius, "", "dynamic_authorization_port",
                        fmt::format("port {} is that of [lease]; give another",
                                    radius.dynamic_authorization_port));
        }
    }

    void check_routing(const Gateway& gateway) {
        if (gateway.route_table >= 253 && gateway.route_table <= 255) {
            errors_.add(Section::gateway, gateway.name, "route_table",
                        fmt::format("table {} is the system's; leave 'route_table' out for {}",
                                    gateway.route_table, 1000 + gateway.id.value));
        }
    }

    // Its tunnels, and the addresses that IPCP assigns to clients, are IPv4. The reader refuses
    // empty lists.
    void check_ppp(const Gateway& gateway) {
        const std::optional<Facts> protocol = gateway.protocols.first(has_pppd);
        if (!protocol) {
            return;
        }
        if (!gateway.outside.addresses.empty() && gateway.dialled_address() == Ipv4Address{}) {
            errors_.add(Section::outside, gateway.name, "addresses",
                        fmt::format("no IPv4 address for {} to listen on; add one to 'addresses', "
                                    "like \"192.0.2.100/24\"",
                                    protocol->title));
        }
        const std::vector<IpPrefix>& pools = gateway.pools;
        if (!pools.empty() && std::none_of(pools.begin(), pools.end(), [](const IpPrefix& pool) {
                return pool.address.is_v4();
            })) {
            errors_.add(Section::gateway, gateway.name, "pools",
                        fmt::format("no IPv4 net for the clients of {}; add one to 'pools', like "
                                    "\"10.200.1.0/24\"",
                                    protocol->title));
        }
    }

    void check_protocols(const Gateway& gateway) {
        for (const ServedProtocols::Served& each : gateway.protocols.all()) {
            if (each.protocol->check != nullptr) {
                each.protocol->check(gateway, config_, errors_);
            }
        }
    }

    void check_pools(const Gateway& gateway) {
        const std::vector<IpPrefix>& pools = gateway.pools;
        for (std::size_t i = 0; i < pools.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (overlap(pools[i], pools[j])) {
                    errors_.add(Section::gateway, gateway.name, "pools",
                                fmt::format("pool {} overlaps pool {}; keep one of them",
                                            to_string(pools[i]), to_string(pools[j])));
                }
            }
        }
    }

    void check_accounting(const Gateway& gateway) {
        if (gateway.accounting && draft_.is_sound(Section::radius, "") &&
            config_.radius.accounting_servers.empty()) {
            errors_.add(Section::gateway, gateway.name, "accounting",
                        "there is nobody to account to; name servers in [radius] "
                        "accounting_servers");
        }
    }

    // The holder of each address of the pool is known.
    void check_limits(const Gateway& gateway) {
        const auto check = [&](const char* key, std::uint64_t value) {
            if (value != 0 && gateway.common_pool.empty()) {
                errors_.add(Section::gateway, gateway.name, key,
                            fmt::format("{} counts addresses of 'common_pool', and there is none; "
                                        "give it, or leave {} out",
                                        key, key));
            }
        };
        check("sessions_max", gateway.sessions_max);
        check("sessions_per_user_max", gateway.sessions_per_user_max);
    }

    void check_common_pool(const Gateway& gateway) {
        std::vector<IpPrefix> nets = gateway.common_pool;
        for (const IpPrefix& net : nets) {
            if (!net.address.is_v4()) {
                errors_.add(Section::gateway, gateway.name, "common_pool",
                            fmt::format("{} is IPv6, and clients of L2TP and PPTP get IPv4; leave "
                                        "it out",
                                        to_string(net)));
            }
        }
        std::erase_if(nets, [](const IpPrefix& net) { return !net.address.is_v4(); });
        check_within_pools(gateway, Section::gateway, "common_pool", nets, errors_);
    }

    void check_addresses(const Gateway& gateway) {
        const std::vector<Own> own = own_addresses(gateway);
        for (std::size_t i = 0; i < own.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (own[i].address == own[j].address) {
                    errors_.add(own[i].section, gateway.name, own[i].key,
                                fmt::format("{} is given in '{}' of [{}] already; give another",
                                            to_string(own[i].address), own[j].key,
                                            header_of(own[j].section, gateway.name)));
                }
            }
            check_not_a_clients(gateway, own[i], gateway);
        }
    }

    // A gateway's own address moves with the role: no host answers for it.
    void check_neighbours(const Gateway& gateway) {
        const auto check = [&](std::string_view key, const std::vector<IpAddress>& neighbours) {
            for (const Own& own : own_addresses(gateway)) {
                if (std::find(neighbours.begin(), neighbours.end(), own.address) !=
                    neighbours.end()) {
                    errors_.add(Section::links, gateway.name, key,
                                fmt::format("{} is the gateway's own address; give one of a "
                                            "router or server",
                                            to_string(own.address)));
                }
            }
        };
        check("outside_neighbours", gateway.links.outside_neighbours);
        check("inside_neighbours", gateway.links.inside_neighbours);
    }

    // A router may be outside of the nets of all addresses: hosters assign a /32 and a router
    // beside it. Its route is an on-link one.
    void check_replies(const Gateway& gateway, const Section& section, LinkSide which) {
        const Side& side = gateway.side(which);
        const auto wrong = [&](std::string what) {
            errors_.add(section, gateway.name, "default_via", std::move(what));
        };
        for (const IpAddress& via : side.default_via) {
            const auto family = [&via](const IpPrefix& own) {
                return own.address.is_v4() == via.is_v4();
            };
            if (std::none_of(side.addresses.begin(), side.addresses.end(), family)) {
                wrong(
                    fmt::format("{} routes for none of 'addresses', which are of the other "
                                "family; leave it out",
                                to_string(via)));
            }
            const std::vector<Own> own = own_addresses(gateway);
            if (std::any_of(own.begin(), own.end(),
                            [&via](const Own& each) { return each.address == via; })) {
                wrong(
                    fmt::format("{} is the gateway's own address; give a router on the link of "
                                "{}",
                                to_string(via), side.interface));
            }
        }
        if (side.default_via.size() == 2 &&
            side.default_via[0].is_v4() == side.default_via[1].is_v4()) {
            wrong("has two addresses of one family; give one");
        }
        if (!side.default_via.empty() && gateway.route_table == gateway.reply_table(which)) {
            errors_.add(Section::gateway, gateway.name, "route_table",
                        fmt::format("table {} is that of 'default_via'; leave 'route_table' out "
                                    "for {}",
                                    gateway.route_table, 1000 + gateway.id.value));
        }
    }

    void check_mark(const Gateway& gateway) {
        const std::uint32_t mark = gateway.conntrack.mark;
        const std::uint32_t mask = gateway.conntrack.mark_mask;
        if (draft_.is_sound(Section::conntrack, gateway.name) && (mark & ~mask) != 0) {
            errors_.add(Section::conntrack, gateway.name, "mark",
                        fmt::format("mark {:#x} has bits outside of mark_mask {:#x}, which nobody "
                                    "looks at; write mark_mask = {:#x}",
                                    mark, mask, mark | mask));
        }
    }

    // No client may get an address that a gateway holds.
    void check_not_a_clients(const Gateway& gateway, const Own& own,
                             const Gateway& owner_of_pools) {
        for (const IpPrefix& pool : owner_of_pools.pools) {
            if (contains(pool, own.address)) {
                errors_.add(
                    own.section, gateway.name, own.key,
                    fmt::format("{} lies within pool {} of gateway '{}', so that a client could be "
                                "given it; take an address outside of all pools",
                                to_string(own.address), to_string(pool), owner_of_pools.name));
            }
        }
    }

    void check_pair(const Gateway& first, const Gateway& second) {
        if (draft_.is_sound(Section::gateway, first.name) &&
            draft_.is_sound(Section::gateway, second.name)) {
            check_pair_of_numbers(first, second);
        }
        check_pair_of_pools(first, second);
        for (const Own& own : own_addresses(second)) {
            for (const Own& others : own_addresses(first)) {
                if (own.address == others.address) {
                    errors_.add(own.section, second.name, own.key,
                                fmt::format("{} belongs to gateway '{}' already; give another",
                                            to_string(own.address), first.name));
                }
            }
            check_not_a_clients(second, own, first);
        }
        for (const Own& own : own_addresses(first)) {
            check_not_a_clients(first, own, second);
        }
        check_pair_of_flows(first, second);
    }

    void check_pair_of_numbers(const Gateway& first, const Gateway& second) {
        const auto taken = [&](std::string_view key, std::uint64_t value) {
            errors_.add(Section::gateway, second.name, key,
                        fmt::format("{} {} belongs to gateway '{}' already; give another", key,
                                    value, first.name));
        };
        if (first.id == second.id) {
            taken("id", second.id.value);
            return;  // The other two are derived from it.
        }
        if (first.route_table == second.route_table) {
            taken("route_table", second.route_table);
        }
        if (first.rule_preference == second.rule_preference) {
            taken("rule_preference", second.rule_preference);
        }
    }

    void check_pair_of_pools(const Gateway& first, const Gateway& second) {
        for (const IpPrefix& pool : second.pools) {
            for (const IpPrefix& others : first.pools) {
                if (overlap(pool, others)) {
                    errors_.add(
                        Section::gateway, second.name, "pools",
                        fmt::format("pool {} overlaps pool {} of gateway '{}'; give another net",
                                    to_string(pool), to_string(others), first.name));
                }
            }
        }
    }

    static bool distinguished(const Conntrack& a, const Conntrack& b) {
        if (((a.mark ^ b.mark) & a.mark_mask & b.mark_mask) != 0) {
            return true;
        }
        return !a.zones.empty() && !b.zones.empty() &&
               std::find_first_of(a.zones.begin(), a.zones.end(), b.zones.begin(), b.zones.end()) ==
                   a.zones.end();
    }

    // Each flow belongs to one gateway: at a failover only that gateway's node may have it. The
    // default nets overlap nowhere, so one of the two has configured some.
    void check_pair_of_flows(const Gateway& first, const Gateway& second) {
        if (!draft_.is_sound(Section::conntrack, first.name) ||
            !draft_.is_sound(Section::conntrack, second.name) || !first.conntrack.replicate ||
            !second.conntrack.replicate || distinguished(first.conntrack, second.conntrack)) {
            return;
        }
        const bool later = !second.conntrack.nets.empty();
        const Gateway& gateway = later ? second : first;
        const Gateway& other = later ? first : second;
        if (gateway.conntrack.nets.empty()) {
            return;  // The errors of pools and addresses show it then.
        }
        for (const IpPrefix& net : gateway.flow_nets()) {
            std::vector<std::string> taken;
            for (const IpPrefix& others : other.flow_nets()) {
                if (overlap(net, others)) {
                    taken.push_back(to_string(others));
                }
            }
            if (!taken.empty()) {
                errors_.add(
                    Section::conntrack, gateway.name, "nets",
                    fmt::format("net {} overlaps {} of gateway '{}', and a flow is one gateway's; "
                                "give other nets, or tell the flows apart by 'mark' and "
                                "'mark_mask' or by 'zones' of both",
                                to_string(net), fmt::join(taken, ", "), other.name));
            }
        }
    }

    const Draft& draft_;
    const Config& config_;
    Errors& errors_;
};

}  // namespace

void check_within_pools(const Gateway& gateway, const Section& section, std::string_view key,
                        const std::vector<IpPrefix>& nets, Errors& errors) {
    for (auto net = nets.begin(); net != nets.end(); ++net) {
        if (std::none_of(gateway.pools.begin(), gateway.pools.end(), [&](const IpPrefix& pool) {
                return pool.length <= net->length && contains(pool, net->address);
            })) {
            errors.add(
                section, gateway.name, key,
                fmt::format("{} lies within none of 'pools'; add it there", to_string(*net)));
        }
        for (auto before = nets.begin(); before != net; ++before) {
            if (overlap(*before, *net)) {
                errors.add(section, gateway.name, key,
                           fmt::format("{} overlaps {}; keep one of them", to_string(*net),
                                       to_string(*before)));
            }
        }
    }
}

void check(Draft& draft) {
    Checker(draft).run();
}

}  // namespace vpnha::config
