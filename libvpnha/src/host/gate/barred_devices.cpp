// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/barred_devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "host/gate/gate_place.hpp"
#include "host/netlink/nftables.hpp"

namespace vpnha::adapters {

namespace {

// Before all other chains of these hooks.
constexpr int kPriority = -500;

// A device that goes away fails the whole ruleset.
constexpr int kAttempts = 3;

// Each once, and none within another: a set of nftables permits no overlaps.
std::vector<IpPrefix> outermost_nets(const config::Config& config) {
    std::vector<IpPrefix> nets;
    for (const config::Gateway& gateway : config.gateways) {
        for (const config::Covered& each : gateway.covered()) {
            nets.push_back({each.net.address.masked(each.net.length), each.net.length});
        }
    }
    std::sort(nets.begin(), nets.end(),
              [](const IpPrefix& a, const IpPrefix& b) { return a.length < b.length; });
    std::vector<IpPrefix> outermost;
    for (const IpPrefix& net : nets) {
        if (std::none_of(outermost.begin(), outermost.end(),
                         [&net](const IpPrefix& other) { return overlap(net, other); })) {
            outermost.push_back(net);
        }
    }
    return outermost;
}

std::string hexadecimal(const IpAddress& address) {
    return fmt::format("0x{:02x}", fmt::join(address.octets(), ""));
}

// nft cannot match the target of neighbour discovery (RFC 4861 4.3): 16 octets after 8.
std::string has_target(const IpPrefix& net) {
    const IpAddress mask =
        IpAddress(Ipv6Address{}).masked(net.length, true);  // 1 after the net's own bits.
    Ipv6Address own;
    std::transform(mask.octets().begin(), mask.octets().end(), own.octets.begin(),
                   [](std::uint8_t octet) { return static_cast<std::uint8_t>(~octet); });
    return fmt::format("@th,64,128 & {} == {}", hexadecimal(IpAddress(own)),
                       hexadecimal(net.address));
}

std::string rules(const std::vector<IpPrefix>& nets, bool in) {
    std::vector<std::string> v4;
    std::vector<std::string> v6;
    std::string discovery;
    for (const IpPrefix& net : nets) {
        (net.address.is_v4() ? v4 : v6).push_back(to_string(net));
        if (net.address.is_v4()) {
            continue;
        }
        const std::string target = has_target(net);
        discovery += in ? fmt::format("icmpv6 type nd-neighbor-solicit {} counter drop\n", target)
                        : fmt::format(
                              "icmpv6 type nd-neighbor-advert {0} counter drop\n"
                              "ip6 saddr :: icmpv6 type nd-neighbor-solicit {0} counter drop\n",
                              target);
    }
    const char* const side = in ? "daddr" : "saddr";
    std::string text;
    if (!v4.empty()) {
        text += fmt::format(
            "ip {0} {{ {1} }} counter drop\n"
            "arp {0} ip {{ {1} }} counter drop\n",
            side, fmt::join(v4, ", "));
    }
    if (!v6.empty()) {
        text += fmt::format("ip6 {} {{ {} }} counter drop\n", side, fmt::join(v6, ", "));
    }
    return text + discovery;
}

std::string name_of_chain(bool in, LinkIndex link) {
    return fmt::format("{}{}", in ? "in" : "out", link);
}

// nft permits all characters within quotes except these.
bool can_be_written(const std::string& name) {
    return name.find_first_of("\"*") == std::string::npos;
}

bool is_gateways_table(std::uint32_t table, const config::Config& config) {
    return std::any_of(config.gateways.begin(), config.gateways.end(),
                       [table](const config::Gateway& gateway) {
                           return table == gateway.route_table ||
                                  table == gateway.reply_table(LinkSide::outside) ||
                                  table == gateway.reply_table(LinkSide::inside);
                       });
}

}  // namespace

std::string barred_ruleset(const config::Config& config, const std::vector<Link>& devices) {
    std::string text = without_nft_table("netdev", kBarredTable);
    if (devices.empty()) {
        return text;
    }
    const std::vector<IpPrefix> nets = outermost_nets(config);
    text += fmt::format("table netdev {} {{\n", kBarredTable);
    text += fmt::format("chain to_gateways {{\n{}}}\n", rules(nets, true));
    text += fmt::format("chain from_gateways {{\n{}}}\n", rules(nets, false));
    for (const Link& device : devices) {
        for (const bool in : {true, false}) {
            text += fmt::format(
                "chain {} {{\n"
                "type filter hook {} device \"{}\" priority {}; policy accept;\n"
                "jump {}\n"
                "}}\n",
                name_of_chain(in, device.state.index), in ? "ingress" : "egress", device.name,
                kPriority, in ? "to_gateways" : "from_gateways");
        }
    }
    return text + "}\n";
}

Result<void> bar_devices(const config::Config& config, const std::vector<Link>& devices) {
    for (const Link& device : devices) {
        if (!can_be_written(device.name)) {
            return fail(Errc::unsupported,
                        fmt::format("nftables accepts no device of the name {}", device.name));
        }
    }
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    Result<void> done;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        std::vector<Link> present;
        for (const Link& device : devices) {
            VPNHA_TRY(const bool is_there, route.has_link(device.state.index));
            if (is_there) {
                present.push_back(device);
            }
        }
        done = run_nftables(barred_ruleset(config, present));
        if (done) {
            break;
        }
    }
    return done;
}

Result<std::set<LinkIndex>> barred_devices() {
    VPNHA_TRY(const std::set<std::string> chains, netdev_chains(kBarredTable));
    std::set<LinkIndex> devices;
    for (const std::string& chain : chains) {
        LinkIndex link = 0;
        const char* const end = chain.data() + chain.size();
        if (chain.starts_with("in") &&
            std::from_chars(chain.data() + 2, end, link).ec == std::errc{} &&
            chains.contains(name_of_chain(false, link))) {
            devices.insert(link);
        }
    }
    return devices;
}

std::vector<Link> devices_upon(const Link& link, const std::vector<Link>& all) {
    std::vector<Link> found{link};
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Link below = found[i];
        for (const Link& each : all) {
            const LinkIndex index = each.state.index;
            // A VRF's members carry its traffic, and it carries theirs.
            const bool is_upon = each.lower == below.state.index || index == below.upper ||
                                 (each.upper != 0 && each.upper == below.state.index);
            if (is_upon && std::none_of(found.begin(), found.end(), [index](const Link& known) {
                    return known.state.index == index;
                })) {
                found.push_back(each);
            }
        }
    }
    return found;
}

Result<bool> carries_gateway(const Link& link, const std::vector<Link>& all,
                             const config::Config& config) {
    const std::vector<IpPrefix> nets = outermost_nets(config);
    const auto is_covered = [&nets](const IpPrefix& net) {
        return std::any_of(nets.begin(), nets.end(),
                           [&net](const IpPrefix& each) { return overlap(each, net); });
    };
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    for (const Link& each : devices_upon(link, all)) {
        if (is_named(each, config)) {
            return true;
        }
        VPNHA_TRY(const std::vector<IpPrefix> addresses, route.addresses(each.state.index));
        bool carries = std::any_of(addresses.begin(), addresses.end(), is_covered);
        VPNHA_CHECK(route.for_each_route(each.state.index, [&](const TableRoute& to) {
            const bool is_followed = to.table == RT_TABLE_MAIN || to.table == RT_TABLE_DEFAULT ||
                                     is_gateways_table(to.table, config);
            carries = carries || (is_followed && is_covered(to.destination));
        }));
        if (carries) {
            return true;
        }
    }
    return false;
}

Result<void> BarredDevices::worst() const {
    for (const auto* list : {&carrying, &failed}) {
        if (!list->empty()) {
            return tl::unexpected(list->front().reason);
        }
    }
    return {};
}

BarredDevices bar_refused(const config::Config& config, const std::vector<RefusedDevice>& refused,
                          const std::vector<Link>& all, bool unless_barred) {
    BarredDevices outcome;
    std::vector<RefusedDevice> barred;
    std::set<LinkIndex> indices;
    for (const RefusedDevice& each : refused) {
        const auto carries = carries_gateway(each.link, all, config);
        if (!carries && carries.error().code == Errc::not_found) {
            continue;  // A device that has gone meanwhile passes nothing.
        }
        if (!carries) {
            outcome.failed.push_back({each.link, carries.error()});
        } else if (*carries) {
            outcome.carrying.push_back(each);
        } else {
            barred.push_back(each);
            outcome.barred.push_back(each.link);
            indices.insert(each.link.state.index);
        }
    }
    if (unless_barred) {
        const auto there = barred_devices();
        if (there && *there == indices) {
            return outcome;
        }
    }
    if (const Result<void> done = bar_devices(config, outcome.barred); !done) {
        for (RefusedDevice& each : barred) {
            each.reason.detail +=
                fmt::format("; nor can the device be barred: {}", done.error().detail);
            outcome.failed.push_back(std::move(each));
        }
        outcome.barred.clear();
    }
    return outcome;
}

Result<std::vector<GateHindrance>> gate_hindrances(const config::Config& config,
                                                   const std::vector<Link>& all, GateHook hook) {
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    std::vector<GateHindrance> found;
    for (const Link& link : all) {
        Link alone = link;
        alone.is_port = false;
        if (!needs_gate(alone, config)) {
            continue;
        }
        VPNHA_TRY(const std::string reason, chain.hindrance(link.state.index, link.name));
        if (!reason.empty()) {
            VPNHA_TRY(const bool carries, carries_gateway(link, all, config));
            found.push_back({link, reason, carries});
        }
    }
    return found;
}

}  // namespace vpnha::adapters
