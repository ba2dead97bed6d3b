// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/netlink_route.hpp"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

NetlinkRequest address_request(std::uint16_t type, std::uint16_t flags, LinkIndex link,
                               const IpPrefix& local) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<ifaddrmsg>();
    header.ifa_family = family_of(local.address);
    header.ifa_prefixlen = local.length;
    header.ifa_index = static_cast<std::uint32_t>(link);
    request.bytes(IFA_LOCAL, local.address.octets());
    return request;
}

// Valid for ever, but not selected as a source by connections that do not request it.
constexpr ifa_cacheinfo kDeprecated{
    .ifa_prefered = 0, .ifa_valid = ~std::uint32_t{0}, .cstamp = 0, .tstamp = 0};

NetlinkRequest route_request(std::uint16_t type, std::uint16_t flags, LinkIndex link,
                             const TableRoute& route) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<rtmsg>();
    header.rtm_family = family_of(route.destination.address);
    header.rtm_dst_len = route.destination.length;
    header.rtm_protocol = kOwnRouteProtocol;
    header.rtm_scope = route.via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    header.rtm_type = RTN_UNICAST;
    request.u32(RTA_TABLE, route.table).u32(RTA_OIF, static_cast<std::uint32_t>(link));
    if (route.destination.length != 0) {
        request.bytes(RTA_DST, route.destination.address.octets());
    }
    if (route.via) {
        // The address that makes the router reachable may come after its route.
        header.rtm_flags = RTNH_F_ONLINK;
        request.bytes(RTA_GATEWAY, route.via->octets());
    }
    return request;
}

std::string text_of(const TableRoute& route) {
    return fmt::format("route to {} in table {}", to_string(route.destination), route.table);
}

NetlinkRequest rule_request(std::uint16_t type, std::uint16_t flags, const PolicyRule& rule) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<fib_rule_hdr>();
    header.family = rule.is_v6 ? AF_INET6 : AF_INET;
    header.action = FR_ACT_TO_TBL;
    if (rule.from) {
        header.src_len = rule.from->bits();
        request.bytes(FRA_SRC, rule.from->octets());
    }
    if (rule.to) {
        header.dst_len = rule.to->length;
        request.bytes(FRA_DST, rule.to->address.masked(rule.to->length).octets());
    }
    if (rule.mark) {
        request.u32(FRA_FWMARK, *rule.mark).u32(FRA_FWMASK, ~std::uint32_t{0});
    }
    if (rule.passes_default) {
        request.u32(FRA_SUPPRESS_PREFIXLEN, 0);
    }
    request.u32(FRA_TABLE, rule.table).u32(FRA_PRIORITY, rule.preference);
    request.u8(FRA_PROTOCOL, kOwnRouteProtocol);
    return request;
}

std::optional<ListedRoute> listed_route_of(const nlmsghdr* answer) {
    if (mnl_nlmsg_get_payload_len(answer) < sizeof(rtmsg)) {
        return std::nullopt;
    }
    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer));
    ListedRoute seen;
    seen.is_unicast = header->rtm_type == RTN_UNICAST;
    seen.is_own = header->rtm_protocol == kOwnRouteProtocol;
    seen.protocol = header->rtm_protocol;
    IpPrefix& destination = seen.route.destination;
    destination.length = header->rtm_dst_len;
    if (header->rtm_family == AF_INET) {
        destination.address = IpAddress(Ipv4Address{});
    }
    for_each_attribute(answer, sizeof(rtmsg), [&](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
            case RTA_DST:
                destination.address = address_in(attribute).value_or(destination.address);
                break;
            case RTA_GATEWAY:
                seen.route.via = address_in(attribute);
                break;
            case RTA_TABLE:
                seen.route.table = number_in(attribute);
                break;
            case RTA_OIF:
                seen.over = static_cast<LinkIndex>(number_in(attribute));
                break;
            default:
                break;
        }
    });
    return seen;
}

std::string text_of(const PolicyRule& rule) {
    return fmt::format("policy rule {} for table {}", rule.preference, rule.table);
}

std::string_view name_of_action(std::uint8_t action) {
    switch (action) {
        case FR_ACT_TO_TBL:
            return "lookup";
        case FR_ACT_GOTO:
            return "goto";
        case FR_ACT_NOP:
            return "nop";
        case FR_ACT_BLACKHOLE:
            return "blackhole";
        case FR_ACT_UNREACHABLE:
            return "unreachable";
        case FR_ACT_PROHIBIT:
            return "prohibit";
        default:
            return "an action of its own";
    }
}

std::optional<IpPrefix> prefix_in(const nlattr* attribute, std::uint8_t length) {
    const auto address = address_in(attribute);
    return address ? std::optional(IpPrefix{*address, length}) : std::nullopt;
}

// Conditions that exclude some of the packets between the same addresses from a rule.
bool is_selective(std::uint16_t attribute) {
    switch (attribute) {
        case FRA_FWMARK:
        case FRA_UID_RANGE:
        case FRA_SPORT_RANGE:
        case FRA_DPORT_RANGE:
        case FRA_IP_PROTO:
        case FRA_TUN_ID:
        case FRA_OIFNAME:
            return true;
        default:
            return false;
    }
}

ListedRule listed_rule_of(const nlmsghdr* answer) {
    const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(answer));
    ListedRule seen;
    PolicyRule& rule = seen.rule;
    rule.is_v6 = header->family == AF_INET6;
    rule.table = header->table;
    seen.continues = header->action == FR_ACT_GOTO || header->action == FR_ACT_NOP;
    seen.is_selective = header->tos != 0;
    std::optional<IpPrefix> from;
    std::string device;
    for_each_attribute(answer, sizeof(fib_rule_hdr), [&](const nlattr* attribute) {
        const std::uint16_t type = mnl_attr_get_type(attribute);
        seen.is_selective = seen.is_selective || is_selective(type);
        switch (type) {
            case FRA_SRC:
                from = prefix_in(attribute, header->src_len);
                break;
            case FRA_DST:
                rule.to = prefix_in(attribute, header->dst_len);
                break;
            case FRA_FWMARK:
                rule.mark = number_in(attribute);
                break;
            case FRA_TABLE:
                rule.table = number_in(attribute);
                break;
            case FRA_PRIORITY:
                rule.preference = number_in(attribute);
                break;
            case FRA_SUPPRESS_PREFIXLEN:
                rule.passes_default = number_in(attribute) != ~std::uint32_t{0};
                break;
            case FRA_L3MDEV:
                seen.is_l3mdev = true;
                break;
            case FRA_IIFNAME:
                device = text_in(attribute);
                break;
            case FRA_PROTOCOL:
                seen.is_own = mnl_attr_validate(attribute, MNL_TYPE_U8) == 0 &&
                              mnl_attr_get_u8(attribute) == kOwnRouteProtocol;
                break;
            default:
                break;
        }
    });
    if (from && from->length == from->address.bits()) {
        rule.from = from->address;
    }
    seen.text = fmt::format("from {}", from ? to_string(*from) : "all");
    seen.text += rule.to ? fmt::format(" to {}", to_string(*rule.to)) : "";
    seen.text += rule.mark ? fmt::format(" fwmark {:#x}", *rule.mark) : "";
    seen.text += device.empty() ? "" : " iif " + device;
    seen.text += fmt::format(" {}", name_of_action(header->action));
    if (header->action == FR_ACT_TO_TBL) {
        seen.text += seen.is_l3mdev ? " [l3mdev-table]" : fmt::format(" {}", rule.table);
    }
    return seen;
}

}  // namespace

Result<RouteNetlink> RouteNetlink::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    socket.ask_for_filtered_dumps();
    return RouteNetlink(std::move(socket));
}

Result<void> RouteNetlink::add_address(LinkIndex link, const IpPrefix& local) {
    NetlinkRequest request = address_request(RTM_NEWADDR, kCreate, link, local);
    request.bytes(IFA_ADDRESS, local.address.octets());
    if (!local.address.is_v4()) {
        const auto* const lifetime = reinterpret_cast<const std::uint8_t*>(&kDeprecated);
        request.u32(IFA_FLAGS, IFA_F_NODAD);
        request.bytes(IFA_CACHEINFO, ByteView(lifetime, sizeof kDeprecated));
    }
    return accept(socket_.ask(request, fmt::format("add address {}", to_string(local))),
                  Errc::already_exists);
}

Result<void> RouteNetlink::lend_address(LinkIndex link, const IpPrefix& local,
                                        std::chrono::seconds lifetime) {
    constexpr std::uint16_t kRenew = NLM_F_CREATE | NLM_F_REPLACE;
    NetlinkRequest request = address_request(RTM_NEWADDR, kRenew, link, local);
    request.bytes(IFA_ADDRESS, local.address.octets());
    request.u32(IFA_FLAGS, IFA_F_NODAD);
    const auto left = static_cast<std::uint32_t>(lifetime.count());
    const ifa_cacheinfo lent{.ifa_prefered = left, .ifa_valid = left, .cstamp = 0, .tstamp = 0};
    request.bytes(IFA_CACHEINFO,
                  ByteView(reinterpret_cast<const std::uint8_t*>(&lent), sizeof lent));
    return socket_.ask(request, fmt::format("lend address {}", to_string(local)));
}

Result<void> RouteNetlink::add_peer_address(LinkIndex link, Ipv4Address local, Ipv4Address peer) {
    NetlinkRequest request =
        address_request(RTM_NEWADDR, kCreate, link, host_prefix(IpAddress(local)));
    request.bytes(IFA_ADDRESS, IpAddress(peer).octets());
    request.u32(IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    return accept(socket_.ask(request, fmt::format("add address {} peer {}", to_string(local),
                                                   to_string(peer))),
                  Errc::already_exists);
}

Result<void> RouteNetlink::add_link_local_peer(LinkIndex link, const IpAddress& local,
                                               const IpAddress& peer) {
    NetlinkRequest request = address_request(RTM_NEWADDR, kCreate, link, host_prefix(local));
    request.bytes(IFA_ADDRESS, peer.octets());
    request.u32(IFA_FLAGS, IFA_F_NODAD);
    return accept(socket_.ask(request, fmt::format("add address {} peer {}", to_string(local),
                                                   to_string(peer))),
                  Errc::already_exists);
}

Result<void> RouteNetlink::delete_address(LinkIndex link, const IpPrefix& local) {
    NetlinkRequest request = address_request(RTM_DELADDR, 0, link, local);
    // With this the kernel also compares the prefix of an IPv4 address.
    request.bytes(IFA_ADDRESS, local.address.octets());
    return accept(socket_.ask(request, fmt::format("delete address {}", to_string(local))),
                  Errc::not_found);
}

Result<void> RouteNetlink::flush_address(LinkIndex link, const IpPrefix& local) {
    NetlinkRequest request = address_request(RTM_DELADDR, 0, link, local);
    return accept(socket_.ask(request, fmt::format("delete address {}", to_string(local))),
                  Errc::not_found);
}

Result<std::vector<IpPrefix>> RouteNetlink::addresses(LinkIndex link) {
    std::vector<IpPrefix> found;
    VPNHA_CHECK(for_each_address(
        [&found](const LinkAddress& address) { found.push_back(address.local); }, link));
    return found;
}

Result<void> RouteNetlink::for_each_address(
    const std::function<void(const LinkAddress&)>& on_address, LinkIndex link) {
    NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP);
    auto& wanted = request.header<ifaddrmsg>();
    wanted.ifa_family = AF_UNSPEC;
    wanted.ifa_index = static_cast<std::uint32_t>(link);
    return socket_.ask(request, "list addresses", [&on_address, link](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) < sizeof(ifaddrmsg)) {
            return;
        }
        const auto* const header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(answer));
        const auto its_link = static_cast<LinkIndex>(header->ifa_index);
        if (link != 0 && its_link != link) {
            return;  // From a kernel that does not filter.
        }
        std::optional<IpAddress> local;
        for_each_attribute(answer, sizeof(ifaddrmsg), [&](const nlattr* attribute) {
            // IPv6 has no IFA_LOCAL except on links to one peer, whose address is IFA_ADDRESS.
            const std::uint16_t type = mnl_attr_get_type(attribute);
            if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local)) {
                local = address_in(attribute);
            }
        });
        if (local) {
            on_address({its_link, {*local, header->ifa_prefixlen}});
        }
    });
}

Result<void> RouteNetlink::add_route(LinkIndex link, const TableRoute& route,
                                     const std::optional<IpAddress>& source) {
    NetlinkRequest request = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, link, route);
    if (source) {
        request.bytes(RTA_PREFSRC, source->octets());
    }
    return socket_.ask(request, "add " + text_of(route));
}

Result<void> RouteNetlink::delete_route(LinkIndex link, const TableRoute& route) {
    NetlinkRequest request = route_request(RTM_DELROUTE, 0, link, route);
    return accept(socket_.ask(request, "delete " + text_of(route)), Errc::not_found);
}

Result<bool> RouteNetlink::has_route(LinkIndex link, const TableRoute& route) {
    NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
    request.header<rtmsg>().rtm_family = family_of(route.destination.address);
    // The node may have a whole table of the Internet's routes besides this one.
    request.u32(RTA_TABLE, route.table).u32(RTA_OIF, static_cast<std::uint32_t>(link));
    bool found = false;
    const auto listed = socket_.ask(request, "list routes", [&](const nlmsghdr* answer) {
        const auto seen = listed_route_of(answer);
        found = found || (seen && seen->over == link && seen->route == route);
    });
    // A table that nobody has used yet does not exist.
    VPNHA_CHECK(accept(listed, Errc::not_found));
    return found;
}

Result<void> RouteNetlink::for_each_route(LinkIndex link,
                                          const std::function<void(const TableRoute&)>& on_route) {
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
        request.header<rtmsg>().rtm_family = family;
        request.u32(RTA_OIF, static_cast<std::uint32_t>(link));
        const auto listed = socket_.ask(request, "list routes", [&](const nlmsghdr* answer) {
            const auto seen = listed_route_of(answer);
            // One of several paths is in a separate attribute; the kernel has checked that.
            if (seen && seen->is_unicast && (seen->over == link || seen->over == 0)) {
                on_route(seen->route);
            }
        });
        VPNHA_CHECK(accept(accept(listed, Errc::not_found), Errc::unsupported));
    }
    return {};
}

Result<void> RouteNetlink::for_each_route_in(
    std::uint32_t table, const std::function<void(const ListedRoute&)>& on_route) {
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
        request.header<rtmsg>().rtm_family = family;
        request.u32(RTA_TABLE, table);
        const auto listed = socket_.ask(request, "list routes", [&](const nlmsghdr* answer) {
            const auto seen = listed_route_of(answer);
            if (seen && seen->route.table == table) {
                on_route(*seen);
            }
        });
        // A table that nobody has used yet does not exist.
        VPNHA_CHECK(accept(accept(listed, Errc::not_found), Errc::unsupported));
    }
    return {};
}

Result<void> RouteNetlink::add_rule(const PolicyRule& rule) {
    NetlinkRequest request = rule_request(RTM_NEWRULE, kCreate, rule);
    return accept(socket_.ask(request, "add " + text_of(rule)), Errc::already_exists);
}

Result<void> RouteNetlink::delete_rule(const PolicyRule& rule) {
    // Another program may have added the same rule without NLM_F_EXCL, so until none is left.
    for (;;) {
        NetlinkRequest request = rule_request(RTM_DELRULE, 0, rule);
        const auto outcome = socket_.ask(request, "delete " + text_of(rule));
        if (!outcome) {
            return accept(outcome, Errc::not_found);
        }
    }
}

Result<bool> RouteNetlink::has_rule(const PolicyRule& rule) {
    bool found = false;
    VPNHA_CHECK(for_each_rule(rule.is_v6, [&](const ListedRule& listed) {
        found = found || (listed.is_own && listed.rule == rule);
    }));
    return found;
}

Result<void> RouteNetlink::for_each_rule(bool is_v6,
                                         const std::function<void(const ListedRule&)>& on_rule) {
    NetlinkRequest request(RTM_GETRULE, NLM_F_DUMP);
    const std::uint8_t family = is_v6 ? AF_INET6 : AF_INET;
    request.header<fib_rule_hdr>().family = family;
    const auto listed = socket_.ask(request, "list policy rules", [&](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) < sizeof(fib_rule_hdr)) {
            return;
        }
        // A kernel without the family answers with the rules of all others.
        const ListedRule rule = listed_rule_of(answer);
        if (static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(answer))->family == family) {
            on_rule(rule);
        }
    });
    return accept(listed, Errc::unsupported);
}

}  // namespace vpnha::adapters
