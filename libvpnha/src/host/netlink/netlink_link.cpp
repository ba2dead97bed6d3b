// SPDX-License-Identifier: GPL-2.0-or-later
// RouteNetlink's links, and the qdiscs and filters at their edges.
#include <fmt/format.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

// After linux/rtnetlink.h: glibc's net/if.h does not define IFF_LOWER_UP, linux/if.h does.
#include <linux/if.h>

#include <cstring>
#include <map>

#include "host/netlink/netlink_route.hpp"
#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

// For one that is interrupted again and again.
constexpr int kDumpsMax = 4;

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
    const bool is_ethernet = link.hardware == ARPHRD_ETHER;
    bool is_lower_here = true;
    std::string_view part;  // The device of which it is part.
    for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr* attribute) {
        const std::uint16_t type = mnl_attr_get_type(attribute);
        if (type == IFLA_IFNAME) {
            link.name = text_in(attribute);
        } else if (type == IFLA_MASTER) {
            link.upper = static_cast<LinkIndex>(number_in(attribute));
        } else if (type == IFLA_LINK) {
            link.lower = static_cast<LinkIndex>(number_in(attribute));
        } else if (type == IFLA_ADDRESS && is_ethernet &&
                   mnl_attr_get_payload_len(attribute) == link.mac.size()) {
            std::memcpy(link.mac.data(), mnl_attr_get_payload(attribute), link.mac.size());
        } else if (type == IFLA_LINK_NETNSID) {
            is_lower_here = false;
        } else if (type == IFLA_LINKINFO) {
            for_each_nested(attribute, [&](const nlattr* about) {
                if (mnl_attr_get_type(about) == IFLA_INFO_KIND) {
                    link.kind = text_in(about);
                } else if (mnl_attr_get_type(about) == IFLA_INFO_SLAVE_KIND) {
                    part = text_in(about);
                } else if (mnl_attr_get_type(about) == IFLA_INFO_DATA && link.kind == "vrf") {
                    // The kernel writes it after the kind.
                    for_each_nested(about, [&](const nlattr* data) {
                        if (mnl_attr_get_type(data) == IFLA_VRF_TABLE) {
                            link.vrf_table = number_in(data);
                        }
                    });
                }
            });
        }
    });
    link.is_port = link.upper != 0 && part != "vrf";
    // The other end of a pair is no device below it, and a number of another namespace is none.
    if (!is_lower_here || link.kind == "veth" || link.kind == "netkit") {
        link.lower = 0;
    }
    return link;
}

Result<std::optional<LinkState>> RouteNetlink::find_link(const std::string& name) {
    VPNHA_TRY(const std::optional<Link> found, find_device(name));
    return found ? std::optional(found->state) : std::nullopt;
}

Result<std::optional<Link>> RouteNetlink::ask_device(NetlinkRequest& request,
                                                     const std::string& name) {
    std::optional<Link> found;
    VPNHA_CHECK(accept(socket_.ask(request, fmt::format("find interface {}", name),
                                   [&found](const nlmsghdr* answer) {
                                       if (mnl_nlmsg_get_payload_len(answer) >= sizeof(ifinfomsg)) {
                                           found = link_of(answer);
                                       }
                                   }),
                       Errc::not_found));
    return found;
}

Result<std::optional<Link>> RouteNetlink::find_device(const std::string& name) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.header<ifinfomsg>().ifi_family = AF_UNSPEC;
    request.text(IFLA_IFNAME, name);
    return ask_device(request, name);
}

Result<std::optional<Link>> RouteNetlink::find_device(LinkIndex link) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    return ask_device(request, std::to_string(link));
}

Result<bool> RouteNetlink::has_link(LinkIndex link) {
    VPNHA_TRY(const std::optional<Link> found, find_device(link));
    return found.has_value();
}

Result<void> RouteNetlink::for_each_link(const std::function<void(Link)>& on_link) {
    std::map<LinkIndex, Link> found;
    for (int dumps = 0; dumps == 0 || (socket_.was_interrupted() && dumps < kDumpsMax); ++dumps) {
        NetlinkRequest request(RTM_GETLINK, NLM_F_DUMP);
        request.header<ifinfomsg>().ifi_family = AF_UNSPEC;
        // Counters make half of an answer, and there may be ten thousand devices.
        request.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        VPNHA_CHECK(socket_.ask(request, "list interfaces", [&found](const nlmsghdr* answer) {
            if (mnl_nlmsg_get_payload_len(answer) >= sizeof(ifinfomsg)) {
                Link link = link_of(answer);
                found.insert_or_assign(link.state.index, std::move(link));
            }
        }));
    }
    for (auto& [index, link] : found) {
        on_link(std::move(link));
    }
    return {};
}

Result<void> RouteNetlink::prepare_link(LinkIndex link, const std::string& name,
                                        std::uint16_t mtu) {
    NetlinkRequest request(RTM_NEWLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    request.text(IFLA_IFNAME, name).u32(IFLA_MTU, mtu);
    // Below that the kernel has no IPv6 on the link, and accepts no settings for it.
    if (mtu >= kIpv6MtuMin) {
        request.nested(IFLA_AF_SPEC, [&request] {
            request.nested(AF_INET6, [&request] {
                request.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
            });
        });
    }
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

Result<void> RouteNetlink::add_device(const std::string& name, const std::string& kind) {
    VPNHA_TRY(const std::optional<Link> earlier, find_device(name));
    if (earlier && earlier->kind == kind) {
        VPNHA_CHECK(delete_link(earlier->state.index));
    }
    NetlinkRequest request(RTM_NEWLINK, kCreate);
    request.header<ifinfomsg>();
    request.text(IFLA_IFNAME, name);
    request.nested(IFLA_LINKINFO, [&request, &kind] { request.text(IFLA_INFO_KIND, kind); });
    return socket_.ask(request, fmt::format("create {} device {}", kind, name));
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
    // Without the echo the kernel notifies everybody except the requester.
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
            bool is_bpf = false;  // The options of other kinds are numbered differently.
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

}  // namespace vpnha::adapters
