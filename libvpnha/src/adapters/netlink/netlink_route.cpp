// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/netlink/netlink_route.hpp"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

// After linux/rtnetlink.h: glibc's net/if.h lacks IFF_LOWER_UP, linux/if.h has it.
#include <linux/if.h>

#include <algorithm>
#include <string_view>

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

Result<void> accept(Result<void> outcome, Errc harmless) {
    if (!outcome && outcome.error().code == harmless) {
        return {};
    }
    return outcome;
}

std::uint8_t family_of(const IpAddress& address) {
    return address.is_v4() ? AF_INET : AF_INET6;
}

std::optional<IpAddress> address_in(const nlattr* attribute) {
    const auto* const octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    return ip_address_of({octets, mnl_attr_get_payload_len(attribute)});
}

std::uint32_t number_in(const nlattr* attribute) {
    return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

std::string_view text_in(const nlattr* attribute) {
    return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attribute)
                                                                  : std::string_view();
}

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

// For as long as it is there, but no source for connections that do not ask for it.
constexpr ifa_cacheinfo kDeprecated{
    .ifa_prefered = 0, .ifa_valid = ~std::uint32_t{0}, .cstamp = 0, .tstamp = 0};

NetlinkRequest route_request(std::uint16_t type, std::uint16_t flags, LinkIndex link,
                             const TableRoute& route) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<rtmsg>();
    header.rtm_family = family_of(route.destination.address);
    header.rtm_dst_len = route.destination.length;
    header.rtm_protocol = RTPROT_STATIC;
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
    if (rule.mark) {
        request.u32(FRA_FWMARK, *rule.mark).u32(FRA_FWMASK, ~std::uint32_t{0});
    }
    request.u32(FRA_TABLE, rule.table).u32(FRA_PRIORITY, rule.preference);
    return request;
}

std::string text_of(const PolicyRule& rule) {
    return fmt::format("policy rule {} for table {}", rule.preference, rule.table);
}

}  // namespace

LinkState link_state_of(const nlmsghdr* message) {
    const auto* const link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    constexpr unsigned kWanted = unsigned{IFF_UP} | unsigned{IFF_LOWER_UP};
    return {link->ifi_index, (link->ifi_flags & kWanted) == kWanted};
}

Link link_of(const nlmsghdr* message) {
    Link link;
    link.state = link_state_of(message);
    link.hardware = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message))->ifi_type;
    bool has_master = false;
    std::string_view part;  // What it is part of.
    for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr* attribute) {
        const std::uint16_t type = mnl_attr_get_type(attribute);
        if (type == IFLA_IFNAME) {
            link.name = text_in(attribute);
        } else if (type == IFLA_MASTER) {
            has_master = number_in(attribute) != 0;
        } else if (type == IFLA_LINKINFO) {
            for_each_nested(attribute, [&](const nlattr* about) {
                if (mnl_attr_get_type(about) == IFLA_INFO_KIND) {
                    link.kind = text_in(about);
                } else if (mnl_attr_get_type(about) == IFLA_INFO_SLAVE_KIND) {
                    part = text_in(about);
                }
            });
        }
    });
    link.is_port = has_master && part != "vrf";
    return link;
}

Result<RouteNetlink> RouteNetlink::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    socket.ask_for_filtered_dumps();
    return RouteNetlink(std::move(socket));
}

Result<std::optional<LinkState>> RouteNetlink::find_link(const std::string& name) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.header<ifinfomsg>().ifi_family = AF_UNSPEC;
    request.text(IFLA_IFNAME, name);
    std::optional<LinkState> found;
    VPNHA_CHECK(accept(socket_.ask(request, fmt::format("find interface {}", name),
                                   [&found](const nlmsghdr* answer) {
                                       if (mnl_nlmsg_get_payload_len(answer) >= sizeof(ifinfomsg)) {
                                           found = link_state_of(answer);
                                       }
                                   }),
                       Errc::not_found));
    return found;
}

Result<void> RouteNetlink::for_each_link(const std::function<void(Link)>& on_link) {
    NetlinkRequest request(RTM_GETLINK, NLM_F_DUMP);
    request.header<ifinfomsg>().ifi_family = AF_UNSPEC;
    // Counters make half of an answer, and there may be ten thousand devices.
    request.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return socket_.ask(request, "list interfaces", [&on_link](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) >= sizeof(ifinfomsg)) {
            on_link(link_of(answer));
        }
    });
}

Result<void> RouteNetlink::prepare_link(LinkIndex link, const std::string& name,
                                        std::uint16_t mtu) {
    NetlinkRequest request(RTM_NEWLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    request.text(IFLA_IFNAME, name).u32(IFLA_MTU, mtu);
    request.nested(IFLA_AF_SPEC, [&request] {
        request.nested(
            AF_INET6, [&request] { request.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
    });
    return socket_.ask(request, fmt::format("set name and MTU {} of {}", mtu, name));
}

Result<void> RouteNetlink::set_link_up(LinkIndex link) {
    NetlinkRequest request(RTM_NEWLINK, 0);
    auto& header = request.header<ifinfomsg>();
    header.ifi_index = link;
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    return socket_.ask(request, fmt::format("set interface {} up", link));
}

Result<void> RouteNetlink::add_vlan(LinkIndex parent, std::uint16_t id, const std::string& name) {
    NetlinkRequest request(RTM_NEWLINK, kCreate);
    auto& header = request.header<ifinfomsg>();
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    request.text(IFLA_IFNAME, name).u32(IFLA_LINK, static_cast<std::uint32_t>(parent));
    request.nested(IFLA_LINKINFO, [&request, id] {
        request.text(IFLA_INFO_KIND, "vlan");
        request.nested(IFLA_INFO_DATA, [&request, id] { request.u16(IFLA_VLAN_ID, id); });
    });
    return accept(socket_.ask(request, fmt::format("create VLAN device {}", name)),
                  Errc::already_exists);
}

Result<void> RouteNetlink::delete_link(LinkIndex link) {
    NetlinkRequest request(RTM_DELLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    return accept(socket_.ask(request, fmt::format("delete interface {}", link)), Errc::not_found);
}

Result<void> RouteNetlink::set_link_group(LinkIndex link, std::uint32_t group) {
    NetlinkRequest request(RTM_NEWLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    request.u32(IFLA_GROUP, group);
    return socket_.ask(request, fmt::format("put interface {} into group {}", link, group));
}

Result<void> RouteNetlink::delete_link_group(std::uint32_t group) {
    NetlinkRequest request(RTM_DELLINK, 0);
    request.header<ifinfomsg>();
    request.u32(IFLA_GROUP, group);
    return accept(socket_.ask(request, fmt::format("delete interfaces of group {}", group)),
                  Errc::not_found);
}

Result<std::string> RouteNetlink::ingress_qdisc(LinkIndex link) {
    // Without the echo the kernel tells everybody but the one who asks.
    NetlinkRequest request(RTM_GETQDISC, NLM_F_ECHO);
    auto& header = request.header<tcmsg>();
    header.tcm_ifindex = link;
    header.tcm_parent = TC_H_INGRESS;
    std::string kind;
    VPNHA_CHECK(accept(socket_.ask(request, fmt::format("find the qdisc of interface {}", link),
                                   [&kind](const nlmsghdr* answer) {
                                       for_each_attribute(
                                           answer, sizeof(tcmsg), [&kind](const nlattr* attribute) {
                                               if (mnl_attr_get_type(attribute) == TCA_KIND) {
                                                   kind = text_in(attribute);
                                               }
                                           });
                                   }),
                       Errc::not_found));
    return kind;
}

Result<std::vector<LinkFilter>> RouteNetlink::filters(LinkIndex link, std::uint32_t parent,
                                                      std::uint16_t priority) {
    NetlinkRequest request(RTM_GETTFILTER, NLM_F_DUMP);
    auto& header = request.header<tcmsg>();
    header.tcm_ifindex = link;
    header.tcm_parent = TC_H_MAKE(TC_H_CLSACT, parent);
    header.tcm_info = TC_H_MAKE(static_cast<std::uint32_t>(priority) << 16U, 0);
    std::vector<LinkFilter> found;
    const auto listed = socket_.ask(
        request, fmt::format("list the filters of interface {}", link),
        [&found](const nlmsghdr* answer) {
            if (mnl_nlmsg_get_payload_len(answer) < sizeof(tcmsg)) {
                return;
            }
            LinkFilter filter;
            filter.handle = static_cast<const tcmsg*>(mnl_nlmsg_get_payload(answer))->tcm_handle;
            bool is_bpf = false;  // The options of other kinds are numbered otherwise.
            for_each_attribute(answer, sizeof(tcmsg), [&](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == TCA_KIND) {
                    is_bpf = text_in(attribute) == "bpf";
                } else if (mnl_attr_get_type(attribute) == TCA_OPTIONS && is_bpf) {
                    for_each_nested(attribute, [&filter](const nlattr* option) {
                        if (mnl_attr_get_type(option) == TCA_BPF_ID) {
                            filter.program = number_in(option);
                        }
                    });
                }
            });
            // The first message of a priority has no handle: it is about the priority itself.
            if (filter.handle != 0) {
                found.push_back(filter);
            }
        });
    VPNHA_CHECK(accept(listed, Errc::not_found));
    return found;
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
    // With this the kernel looks at the prefix of an IPv4 address, too.
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
            // IPv6 has no IFA_LOCAL but on links to one peer, of which IFA_ADDRESS is the other.
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

Result<void> RouteNetlink::add_route(LinkIndex link, const TableRoute& route) {
    NetlinkRequest request = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, link, route);
    return socket_.ask(request, "add " + text_of(route));
}

Result<void> RouteNetlink::delete_route(LinkIndex link, const TableRoute& route) {
    NetlinkRequest request = route_request(RTM_DELROUTE, 0, link, route);
    return accept(socket_.ask(request, "delete " + text_of(route)), Errc::not_found);
}

Result<bool> RouteNetlink::has_route(LinkIndex link, const TableRoute& route) {
    NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
    request.header<rtmsg>().rtm_family = family_of(route.destination.address);
    // The node may have a whole table of the Internet's routes beside this one.
    request.u32(RTA_TABLE, route.table).u32(RTA_OIF, static_cast<std::uint32_t>(link));
    bool found = false;
    const auto listed = socket_.ask(request, "list routes", [&](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) < sizeof(rtmsg)) {
            return;
        }
        TableRoute seen;
        seen.destination.address = route.destination.address.masked(0);
        seen.destination.length =
            static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer))->rtm_dst_len;
        LinkIndex over = 0;
        for_each_attribute(answer, sizeof(rtmsg), [&](const nlattr* attribute) {
            switch (mnl_attr_get_type(attribute)) {
                case RTA_DST:
                    seen.destination.address =
                        address_in(attribute).value_or(seen.destination.address);
                    break;
                case RTA_GATEWAY:
                    seen.via = address_in(attribute);
                    break;
                case RTA_TABLE:
                    seen.table = number_in(attribute);
                    break;
                case RTA_OIF:
                    over = static_cast<LinkIndex>(number_in(attribute));
                    break;
                default:
                    break;
            }
        });
        found = found || (over == link && seen == route);
    });
    // A table that nobody has used yet is none.
    VPNHA_CHECK(accept(listed, Errc::not_found));
    return found;
}

Result<void> RouteNetlink::add_rule(const PolicyRule& rule) {
    NetlinkRequest request = rule_request(RTM_NEWRULE, kCreate, rule);
    return accept(socket_.ask(request, "add " + text_of(rule)), Errc::already_exists);
}

Result<void> RouteNetlink::delete_rule(const PolicyRule& rule) {
    // Somebody else may have added the same rule without NLM_F_EXCL, so until none is left.
    for (;;) {
        NetlinkRequest request = rule_request(RTM_DELRULE, 0, rule);
        const auto outcome = socket_.ask(request, "delete " + text_of(rule));
        if (!outcome) {
            return accept(outcome, Errc::not_found);
        }
    }
}

Result<bool> RouteNetlink::has_rule(const PolicyRule& rule) {
    NetlinkRequest request(RTM_GETRULE, NLM_F_DUMP);
    request.header<fib_rule_hdr>().family = rule.is_v6 ? AF_INET6 : AF_INET;
    bool found = false;
    VPNHA_CHECK(socket_.ask(request, "list policy rules", [&](const nlmsghdr* answer) {
        PolicyRule listed;
        listed.is_v6 = rule.is_v6;
        for_each_attribute(answer, sizeof(fib_rule_hdr), [&listed](const nlattr* attribute) {
            switch (mnl_attr_get_type(attribute)) {
                case FRA_SRC:
                    listed.from = address_in(attribute);
                    break;
                case FRA_FWMARK:
                    listed.mark = number_in(attribute);
                    break;
                case FRA_TABLE:
                    listed.table = number_in(attribute);
                    break;
                case FRA_PRIORITY:
                    listed.preference = number_in(attribute);
                    break;
                default:
                    break;
            }
        });
        found = found || listed == rule;
    }));
    return found;
}

}  // namespace vpnha::adapters
