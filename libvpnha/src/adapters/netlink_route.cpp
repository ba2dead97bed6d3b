// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/netlink_route.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;
constexpr std::uint8_t kHostPrefix = 32;

Result<void> accept(Result<void> outcome, Errc harmless) {
    if (!outcome && outcome.error().code == harmless) {
        return {};
    }
    return outcome;
}

ifaddrmsg& address_header(NetlinkRequest& request, LinkIndex link, const IpPrefix& local) {
    auto& header = request.header<ifaddrmsg>();
    header.ifa_family = local.address.is_v4() ? AF_INET : AF_INET6;
    header.ifa_prefixlen = local.length;
    header.ifa_index = static_cast<std::uint32_t>(link);
    return header;
}

// For as long as it is there, but no source for connections that do not ask for it.
constexpr ifa_cacheinfo kDeprecated{
    .ifa_prefered = 0, .ifa_valid = ~std::uint32_t{0}, .cstamp = 0, .tstamp = 0};

// Of the IPv4 or IPv6 address in an attribute of RTM_NEWADDR; nullopt when it is neither.
std::optional<IpAddress> address_of(const nlattr* attribute) {
    const auto* const octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    ByteReader reader(ByteView(octets, mnl_attr_get_payload_len(attribute)));
    if (reader.remaining() == sizeof(Ipv4Address::value)) {
        return IpAddress(Ipv4Address{reader.u32()});
    }
    Ipv6Address address;
    if (reader.remaining() != address.octets.size()) {
        return std::nullopt;
    }
    std::copy_n(octets, address.octets.size(), address.octets.begin());
    return IpAddress(address);
}

NetlinkRequest rule_request(std::uint16_t type, std::uint16_t flags, IpVersion version,
                            std::uint32_t table, std::uint32_t preference) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<fib_rule_hdr>();
    header.family = version == IpVersion::v4 ? AF_INET : AF_INET6;
    header.action = FR_ACT_TO_TBL;
    request.u32(FRA_TABLE, table).u32(FRA_PRIORITY, preference);
    return request;
}

}  // namespace

Result<RouteNetlink> RouteNetlink::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    return RouteNetlink(std::move(socket));
}

Result<LinkIndex> RouteNetlink::find_link(const std::string& name) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.header<ifinfomsg>().ifi_family = AF_UNSPEC;
    request.text(IFLA_IFNAME, name);
    LinkIndex found = 0;
    VPNHA_CHECK(socket_.ask(
        request, fmt::format("find interface {}", name), [&found](const nlmsghdr* answer) {
            found = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer))->ifi_index;
        }));
    return found;
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

Result<void> RouteNetlink::add_address(LinkIndex link, const IpPrefix& local) {
    NetlinkRequest request(RTM_NEWADDR, kCreate);
    address_header(request, link, local);
    request.bytes(IFA_LOCAL, local.address.octets()).bytes(IFA_ADDRESS, local.address.octets());
    if (!local.address.is_v4()) {
        const auto* const lifetime = reinterpret_cast<const std::uint8_t*>(&kDeprecated);
        request.u32(IFA_FLAGS, IFA_F_NODAD);
        request.bytes(IFA_CACHEINFO, ByteView(lifetime, sizeof kDeprecated));
    }
    return accept(socket_.ask(request, fmt::format("add address {}", to_string(local))),
                  Errc::already_exists);
}

Result<void> RouteNetlink::add_peer_address(LinkIndex link, Ipv4Address local, Ipv4Address peer) {
    NetlinkRequest request(RTM_NEWADDR, kCreate);
    address_header(request, link, host_prefix(IpAddress(local)));
    request.address(IFA_LOCAL, local.value).address(IFA_ADDRESS, peer.value);
    request.u32(IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    return accept(socket_.ask(request, fmt::format("add address {} peer {}", to_string(local),
                                                   to_string(peer))),
                  Errc::already_exists);
}

Result<void> RouteNetlink::delete_address(LinkIndex link, const IpPrefix& local) {
    NetlinkRequest request(RTM_DELADDR, 0);
    address_header(request, link, local);
    request.bytes(IFA_LOCAL, local.address.octets());
    return accept(socket_.ask(request, fmt::format("delete address {}", to_string(local))),
                  Errc::not_found);
}

Result<void> RouteNetlink::for_each_address(
    const std::function<void(const LinkAddress&)>& on_address) {
    NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP);
    request.header<ifaddrmsg>().ifa_family = AF_UNSPEC;
    return socket_.ask(request, "list addresses", [&on_address](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) < sizeof(ifaddrmsg)) {
            return;
        }
        const auto* const header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(answer));
        std::optional<IpAddress> local;
        for_each_attribute(answer, sizeof(ifaddrmsg), [&](const nlattr* attribute) {
            // IPv6 has no IFA_LOCAL but on links to one peer, of which IFA_ADDRESS is the other.
            const std::uint16_t type = mnl_attr_get_type(attribute);
            if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local)) {
                local = address_of(attribute);
            }
        });
        if (local) {
            on_address(
                {static_cast<LinkIndex>(header->ifa_index), {*local, header->ifa_prefixlen}});
        }
    });
}

Result<void> RouteNetlink::replace_host_route(LinkIndex link, Ipv4Address host,
                                              std::uint32_t table) {
    NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    auto& header = request.header<rtmsg>();
    header.rtm_family = AF_INET;
    header.rtm_dst_len = kHostPrefix;
    header.rtm_protocol = RTPROT_STATIC;
    header.rtm_scope = RT_SCOPE_LINK;
    header.rtm_type = RTN_UNICAST;
    request.u32(RTA_TABLE, table).address(RTA_DST, host.value);
    request.u32(RTA_OIF, static_cast<std::uint32_t>(link));
    return socket_.ask(request, fmt::format("add route to {} in table {}", to_string(host), table));
}

Result<void> RouteNetlink::add_rule(IpVersion version, std::uint32_t table,
                                    std::uint32_t preference) {
    NetlinkRequest request = rule_request(RTM_NEWRULE, kCreate, version, table, preference);
    return accept(
        socket_.ask(request, fmt::format("add policy rule {} for table {}", preference, table)),
        Errc::already_exists);
}

Result<void> RouteNetlink::delete_rule(IpVersion version, std::uint32_t table,
                                       std::uint32_t preference) {
    // Somebody else may have added the same rule without NLM_F_EXCL, so until none is left.
    for (;;) {
        NetlinkRequest request = rule_request(RTM_DELRULE, 0, version, table, preference);
        const auto outcome = socket_.ask(
            request, fmt::format("delete policy rule {} for table {}", preference, table));
        if (!outcome) {
            return accept(outcome, Errc::not_found);
        }
    }
}

}  // namespace vpnha::adapters
