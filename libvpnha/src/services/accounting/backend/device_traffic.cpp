// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/device_traffic.hpp"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <optional>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

namespace {

std::uint32_t network_u32(const nlattr* attribute) {
    return mnl_attr_get_payload_len(attribute) == sizeof(std::uint32_t)
               ? ntohl(mnl_attr_get_u32(attribute))
               : 0;
}

// By device, the address of its other end.
Result<std::map<std::uint32_t, Ipv4Address>> read_peers(NetlinkSocket& socket) {
    std::map<std::uint32_t, Ipv4Address> peers;
    NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP);
    request.header<ifaddrmsg>().ifa_family = AF_INET;
    VPNHA_CHECK(socket.ask(request, "listing addresses", [&](const nlmsghdr* message) {
        const auto* const header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
        Ipv4Address local;
        Ipv4Address peer;
        for_each_attribute(message, sizeof *header, [&](const nlattr* attribute) {
            if (mnl_attr_get_type(attribute) == IFA_LOCAL) {
                local.value = network_u32(attribute);
            } else if (mnl_attr_get_type(attribute) == IFA_ADDRESS) {
                peer.value = network_u32(attribute);
            }
        });
        if (message->nlmsg_type == RTM_NEWADDR && peer != local && peer != Ipv4Address{}) {
            peers[header->ifa_index] = peer;
        }
    }));
    return peers;
}

// The counters in a message of RTM_GETSTATS.
std::optional<Traffic> traffic_of(const nlmsghdr* message) {
    std::optional<Traffic> found;
    for_each_attribute(message, sizeof(if_stats_msg), [&](const nlattr* attribute) {
        // Later kernels have more after these.
        rtnl_link_stats64 stats{};
        constexpr std::size_t kWanted = offsetof(rtnl_link_stats64, rx_errors);
        if (mnl_attr_get_type(attribute) == IFLA_STATS_LINK_64 &&
            mnl_attr_get_payload_len(attribute) >= kWanted) {
            std::memcpy(&stats, mnl_attr_get_payload(attribute), kWanted);
            found = {stats.rx_bytes, stats.tx_bytes, stats.rx_packets, stats.tx_packets};
        }
    });
    return found;
}

NetlinkRequest stats_request(std::uint32_t device, std::uint16_t flags) {
    NetlinkRequest request(RTM_GETSTATS, flags);
    auto& header = request.header<if_stats_msg>();
    header.ifindex = device;
    header.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    return request;
}

}  // namespace

Result<std::vector<node::DeviceTraffic>> read_device_traffic() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    VPNHA_TRY(const auto peers, read_peers(socket));
    std::vector<node::DeviceTraffic> devices;
    NetlinkRequest request = stats_request(0, NLM_F_DUMP);
    VPNHA_CHECK(socket.ask(request, "reading counters of devices", [&](const nlmsghdr* message) {
        const auto* const header = static_cast<const if_stats_msg*>(mnl_nlmsg_get_payload(message));
        const auto found = peers.find(header->ifindex);
        if (message->nlmsg_type != RTM_NEWSTATS || found == peers.end()) {
            return;
        }
        if (const auto traffic = traffic_of(message)) {
            devices.push_back({found->second, header->ifindex, *traffic});
        }
    }));
    return devices;
}

Result<Traffic> read_traffic_of(std::uint32_t device) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    std::optional<Traffic> found;
    NetlinkRequest request = stats_request(device, 0);
    VPNHA_CHECK(socket.ask(request, "reading a device's counters", [&](const nlmsghdr* message) {
        if (message->nlmsg_type == RTM_NEWSTATS) {
            found = traffic_of(message);
        }
    }));
    return found ? Result<Traffic>(*found)
                 : fail(Errc::system, "the kernel gives no counters of a device");
}

}  // namespace vpnha::adapters
