// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/proxies/backend/proxy_table.hpp"

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/link_side.hpp"
#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

NetlinkRequest entry_request(std::uint16_t type, std::uint16_t flags, unsigned link,
                             const IpAddress& address) {
    NetlinkRequest request(type, flags);
    auto& header = request.header<ndmsg>();
    header.ndm_family = family_of(address);
    header.ndm_ifindex = static_cast<int>(link);
    header.ndm_flags = NTF_PROXY;
    request.bytes(NDA_DST, address.octets());
    return request;
}

}  // namespace

Result<ProxyTable> ProxyTable::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    return ProxyTable(std::move(socket));
}

Result<void> ProxyTable::add(const std::string& interface, const IpAddress& address) {
    const unsigned link = if_nametoindex(interface.c_str());
    if (link == 0) {
        return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
    }
    NetlinkRequest request =
        entry_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, link, address);
    return socket_.ask(request, fmt::format("answer for {} on {}", to_string(address), interface));
}

Result<void> ProxyTable::remove(const std::string& interface, const IpAddress& address) {
    const unsigned link = if_nametoindex(interface.c_str());
    if (link == 0) {
        return {};
    }
    NetlinkRequest request = entry_request(RTM_DELNEIGH, 0, link, address);
    return accept(socket_.ask(request, fmt::format("stop answering for {} on {}",
                                                   to_string(address), interface)),
                  Errc::not_found);
}

Result<std::vector<IpAddress>> ProxyTable::list(const std::string& interface) {
    const unsigned link = if_nametoindex(interface.c_str());
    std::vector<IpAddress> found;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP);
        auto& wanted = request.header<ndmsg>();
        wanted.ndm_family = family;
        wanted.ndm_flags = NTF_PROXY;
        VPNHA_CHECK(socket_.ask(request, "list proxy entries", [&](const nlmsghdr* answer) {
            if (mnl_nlmsg_get_payload_len(answer) < sizeof(ndmsg)) {
                return;
            }
            const auto* const header = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(answer));
            if (header->ndm_ifindex != static_cast<int>(link) ||
                (header->ndm_flags & NTF_PROXY) == 0) {
                return;
            }
            for_each_attribute(answer, sizeof(ndmsg), [&found](const nlattr* attribute) {
                const auto address =
                    mnl_attr_get_type(attribute) == NDA_DST ? address_in(attribute) : std::nullopt;
                if (address) {
                    found.push_back(*address);
                }
            });
        }));
    }
    return found;
}

Result<void> flush_proxies(const config::Gateway& gateway) {
    VPNHA_TRY(ProxyTable table, ProxyTable::open());
    for (const LinkSide side : kLinkSides) {
        const std::string& interface = gateway.side(side).interface;
        VPNHA_TRY(const std::vector<IpAddress> entries, table.list(interface));
        for (const IpAddress& entry : entries) {
            if (std::ranges::any_of(gateway.pools, [&entry](const IpPrefix& pool) {
                    return contains(pool, entry);
                })) {
                VPNHA_CHECK(table.remove(interface, entry));
            }
        }
    }
    return {};
}

}  // namespace vpnha::adapters
