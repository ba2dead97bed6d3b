// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/values.hpp"
#include "lease/timing.hpp"

namespace vpnha::config {

namespace {

class Checker {
  public:
    explicit Checker(const Draft& draft) : config_(draft.config), lines_(draft.lines) {}

    Result<void> run() {
        if (config_.control_socket == config_.plugin_socket) {
            return lines_.fail_at(
                Section::daemon, "", "plugin_socket",
                "'plugin_socket' is the control socket too; give it another path");
        }
        VPNHA_CHECK(check_lease());
        for (const Gateway& gateway : config_.gateways) {
            VPNHA_CHECK(check_routing(gateway));
            VPNHA_CHECK(check_l2tp(gateway));
            VPNHA_CHECK(check_pools(gateway));
            VPNHA_CHECK(check_addresses(gateway));
            VPNHA_CHECK(check_neighbours(gateway));
            VPNHA_CHECK(check_mark(gateway));
            for (const Gateway& other : config_.gateways) {
                if (&other == &gateway) {
                    break;  // Each pair once, told at the later one.
                }
                VPNHA_CHECK(check_pair(other, gateway));
            }
        }
        return {};
    }

  private:
    // A gateway's own address: where it stands and what it is for.
    struct Own {
        Section section;
        std::string_view key;
        IpAddress address;
    };

    static std::vector<Own> own_addresses(const Gateway& gateway) {
        std::vector<Own> own;
        for (const IpPrefix& vip : gateway.outside.addresses) {
            own.push_back({Section::outside, "addresses", vip.address});
        }
        for (const IpPrefix& vip : gateway.inside.addresses) {
            own.push_back({Section::inside, "addresses", vip.address});
        }
        own.push_back({Section::l2tp, "ppp_local", IpAddress(gateway.l2tp.ppp_local)});
        return own;
    }

    [[nodiscard]] Result<void> check_lease() const {
        lease::Timing timing;
        timing.lease = config_.lease_duration;
        timing.renew = config_.lease_renew;
        if (const Result<void> valid = timing.validate(); !valid) {
            return lines_.fail_at(
                Section::lease, "", "renew",
                fmt::format("{}; change 'renew' or 'duration'", valid.error().detail));
        }
        return {};
    }

    [[nodiscard]] Result<void> check_routing(const Gateway& gateway) const {
        if (gateway.route_table >= 253 && gateway.route_table <= 255) {
            return lines_.fail_at(
                Section::gateway, gateway.name, "route_table",
                fmt::format("table {} is the system's; leave 'route_table' out for {}",
                            gateway.route_table, 1000 + gateway.id.value));
        }
        return {};
    }

    // Its tunnels, and the addresses that IPCP gives to clients, are IPv4.
    [[nodiscard]] Result<void> check_l2tp(const Gateway& gateway) const {
        if (gateway.l2tp_address() == Ipv4Address{}) {
            return lines_.fail_at(Section::outside, gateway.name, "addresses",
                                  "no IPv4 address for L2TP to listen on; add one to 'addresses', "
                                  "like \"192.0.2.100/24\"");
        }
        const std::vector<IpPrefix>& pools = gateway.l2tp.pools;
        if (std::none_of(pools.begin(), pools.end(),
                         [](const IpPrefix& pool) { return pool.address.is_v4(); })) {
            return lines_.fail_at(Section::l2tp, gateway.name, "pools",
                                  "no IPv4 net for the clients of L2TP; add one to 'pools', like "
                                  "\"10.200.1.0/24\"");
        }
        return {};
    }

    [[nodiscard]] Result<void> check_pools(const Gateway& gateway) const {
        const std::vector<IpPrefix>& pools = gateway.l2tp.pools;
        for (std::size_t i = 0; i < pools.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (overlap(pools[i], pools[j])) {
                    return lines_.fail_at(Section::l2tp, gateway.name, "pools",
                                          fmt::format("pool {} overlaps pool {}; keep one of them",
                                                      to_string(pools[i]), to_string(pools[j])));
                }
            }
        }
        return {};
    }

    [[nodiscard]] Result<void> check_addresses(const Gateway& gateway) const {
        const std::vector<Own> own = own_addresses(gateway);
        for (std::size_t i = 0; i < own.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (own[i].address == own[j].address) {
                    return lines_.fail_at(
                        own[i].section, gateway.name, own[i].key,
                        fmt::format("{} is given in '{}' of [{}] already; give another",
                                    to_string(own[i].address), own[j].key,
                                    header_of(own[j].section, gateway.name)));
                }
            }
            VPNHA_CHECK(check_not_a_clients(gateway, own[i], gateway));
        }
        return {};
    }

    // A gateway's own address moves with the role: nobody is there to answer for it.
    [[nodiscard]] Result<void> check_neighbours(const Gateway& gateway) const {
        const auto check = [&](std::string_view key, const std::vector<IpAddress>& neighbours) {
            for (const Own& own : own_addresses(gateway)) {
                if (std::find(neighbours.begin(), neighbours.end(), own.address) !=
                    neighbours.end()) {
                    return Result<void>(lines_.fail_at(
                        Section::links, gateway.name, key,
                        fmt::format("{} is the gateway's own address; give one of a router or "
                                    "server",
                                    to_string(own.address))));
                }
            }
            return Result<void>{};
        };
        VPNHA_CHECK(check("outside_neighbours", gateway.links.outside_neighbours));
        return check("inside_neighbours", gateway.links.inside_neighbours);
    }

    [[nodiscard]] Result<void> check_mark(const Gateway& gateway) const {
        const std::uint32_t mark = gateway.conntrack.mark;
        const std::uint32_t mask = gateway.conntrack.mark_mask;
        if ((mark & ~mask) != 0) {
            return lines_.fail_at(
                Section::conntrack, gateway.name, "mark",
                fmt::format("mark {:#x} has bits outside of mark_mask {:#x}, which nobody looks "
                            "at; write mark_mask = {:#x}",
                            mark, mask, mark | mask));
        }
        return {};
    }

    // No client may be given an address that a gateway holds.
    [[nodiscard]] Result<void> check_not_a_clients(const Gateway& gateway, const Own& own,
                                                   const Gateway& owner_of_pools) const {
        for (const IpPrefix& pool : owner_of_pools.l2tp.pools) {
            if (contains(pool, own.address)) {
                return lines_.fail_at(
                    own.section, gateway.name, own.key,
                    fmt::format("{} lies within pool {} of gateway '{}', so that a client could be "
                                "given it; take an address outside of all pools",
                                to_string(own.address), to_string(pool), owner_of_pools.name));
            }
        }
        return {};
    }

    [[nodiscard]] Result<void> check_pair(const Gateway& first, const Gateway& second) const {
        const auto taken = [&](std::string_view key, std::uint64_t value) {
            return lines_.fail_at(Section::gateway, second.name, key,
                                  fmt::format("{} {} belongs to gateway '{}' already; give another",
                                              key, value, first.name));
        };
        if (first.id == second.id) {
            return taken("id", second.id.value);
        }
        if (first.route_table == second.route_table) {
            return taken("route_table", second.route_table);
        }
        if (first.rule_preference == second.rule_preference) {
            return taken("rule_preference", second.rule_preference);
        }
        VPNHA_CHECK(check_pair_of_pools(first, second));
        for (const Own& own : own_addresses(second)) {
            for (const Own& others : own_addresses(first)) {
                if (own.address == others.address) {
                    return lines_.fail_at(
                        own.section, second.name, own.key,
                        fmt::format("{} belongs to gateway '{}' already; give another",
                                    to_string(own.address), first.name));
                }
            }
            VPNHA_CHECK(check_not_a_clients(second, own, first));
        }
        for (const Own& own : own_addresses(first)) {
            VPNHA_CHECK(check_not_a_clients(first, own, second));
        }
        return check_pair_of_flows(first, second);
    }

    [[nodiscard]] Result<void> check_pair_of_pools(const Gateway& first,
                                                   const Gateway& second) const {
        for (const IpPrefix& pool : second.l2tp.pools) {
            for (const IpPrefix& others : first.l2tp.pools) {
                if (overlap(pool, others)) {
                    return lines_.fail_at(
                        Section::l2tp, second.name, "pools",
                        fmt::format("pool {} overlaps pool {} of gateway '{}'; give another net",
                                    to_string(pool), to_string(others), first.name));
                }
            }
        }
        return {};
    }

    static bool told_apart(const Conntrack& a, const Conntrack& b) {
        if (((a.mark ^ b.mark) & a.mark_mask & b.mark_mask) != 0) {
            return true;
        }
        return !a.zones.empty() && !b.zones.empty() &&
               std::find_first_of(a.zones.begin(), a.zones.end(), b.zones.begin(), b.zones.end()) ==
                   a.zones.end();
    }

    // Each flow is one gateway's: at a failover only that one's node may have it. What the nets are
    // when none are given overlaps nowhere, so that one of the two has given some.
    [[nodiscard]] Result<void> check_pair_of_flows(const Gateway& first,
                                                   const Gateway& second) const {
        if (!first.conntrack.replicate || !second.conntrack.replicate ||
            told_apart(first.conntrack, second.conntrack)) {
            return {};
        }
        const bool later = !second.conntrack.nets.empty();
        const Gateway& gateway = later ? second : first;
        const Gateway& other = later ? first : second;
        for (const IpPrefix& net : gateway.flow_nets()) {
            for (const IpPrefix& others : other.flow_nets()) {
                if (overlap(net, others)) {
                    return lines_.fail_at(
                        Section::conntrack, gateway.name, "nets",
                        fmt::format(
                            "net {} overlaps {} of gateway '{}', and a flow is one gateway's; "
                            "give other nets, or tell the flows apart by 'mark' and "
                            "'mark_mask' or by 'zones' of both",
                            to_string(net), to_string(others), other.name));
                }
            }
        }
        return {};
    }

    const Config& config_;
    const Lines& lines_;
};

}  // namespace

Result<void> check(const Draft& draft) {
    return Checker(draft).run();
}

}  // namespace vpnha::config
