// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/tun_device.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>

// After <net/if.h>, whose types they otherwise define again.
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string_view>

#include "host/netlink/netlink.hpp"
#include "services/accounting/backend/device_traffic.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::string_view kTunName = "vpnp-%d";  // The kernel takes the first free number.
// All of them, so that they can be deleted with one message.
constexpr std::uint32_t kTunGroup = 0x76706e70;

// To the peer, and behind it.
std::vector<TableRoute> routes_of(const TunDevices::Settings& settings) {
    std::vector<TableRoute> routes;
    if (settings.route_table != 0) {
        const auto add = [&](const IpPrefix& net) {
            routes.push_back({net, std::nullopt, settings.route_table});
        };
        add(host_prefix(IpAddress(settings.peer)));
        std::ranges::for_each(settings.networks, add);
    }
    return routes;
}

bool has_ipv6(const TunDevices::Settings& settings) {
    // Below it pppd's device has none, either.
    return settings.ipv6 && settings.mtu >= kIpv6MtuMin;
}

Result<void> put_into_group(LinkIndex link) {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    NetlinkRequest request(RTM_NEWLINK, 0);
    request.header<ifinfomsg>().ifi_index = link;
    request.u32(IFLA_GROUP, kTunGroup);
    return socket.ask(request, "set the group of a TUN device");
}

Result<void> delete_group() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
    NetlinkRequest request(RTM_DELLINK, 0);
    request.header<ifinfomsg>();
    request.u32(IFLA_GROUP, kTunGroup);
    return socket.ask(request, "delete all TUN devices of calls");
}

}  // namespace

Result<TunDevices> TunDevices::open() {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return TunDevices(std::move(route));
}

Result<TunDevice> TunDevices::create(std::uint16_t mtu) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        return tl::unexpected(system_error("open /dev/net/tun", errno));
    }
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::ranges::copy(kTunName, std::begin(request.ifr_name));
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
        return tl::unexpected(system_error("create a TUN device", errno));
    }
    const std::string name = request.ifr_name;
    VPNHA_TRY(const std::optional<LinkState> link, route_.find_link(name));
    if (!link) {
        return fail(Errc::not_found, name + " has been deleted");
    }
    VPNHA_CHECK(route_.prepare_link(link->index, name, mtu));
    VPNHA_CHECK(put_into_group(link->index));
    VPNHA_CHECK(route_.set_link_up(link->index));
    return TunDevice(std::move(fd), link->index, mtu);
}

Result<TunDevice> TunDevices::take(const Settings& settings) {
    auto& spare = spare_[settings.mtu];
    while (!spare.empty()) {
        TunDevice device = std::move(spare.back());
        spare.pop_back();
        // Somebody may have deleted it.
        if (const auto before = read_traffic_of(static_cast<std::uint32_t>(device.link()));
            before && set_up(device, settings)) {
            device.set_before(*before);
            return device;
        }
    }
    VPNHA_TRY(TunDevice device, create(settings.mtu));
    VPNHA_CHECK(set_up(device, settings));
    return device;
}

Result<void> TunDevices::set_up(const TunDevice& device, const Settings& settings) {
    VPNHA_CHECK(route_.add_peer_address(device.link(), settings.ours, settings.peer));
    if (has_ipv6(settings)) {
        VPNHA_CHECK(route_.add_link_local_peer(device.link(),
                                               link_local_address(settings.ipv6->ours),
                                               link_local_address(settings.ipv6->theirs)));
    }
    for (const TableRoute& route : routes_of(settings)) {
        VPNHA_CHECK(route_.add_route(device.link(), route));
    }
    return {};
}

Result<void> TunDevices::clear(const TunDevice& device, const Settings& settings) {
    for (const TableRoute& route : routes_of(settings)) {
        VPNHA_CHECK(route_.delete_route(device.link(), route));
    }
    if (has_ipv6(settings)) {
        const IpAddress ours = link_local_address(settings.ipv6->ours);
        VPNHA_CHECK(route_.flush_address(device.link(), host_prefix(ours)));
    }
    return route_.flush_address(device.link(), host_prefix(IpAddress(settings.ours)));
}

void TunDevices::give_back(TunDevice device, const Settings& settings) {
    // A device that cannot be cleared is deleted: it closes.
    if (clear(device, settings)) {
        spare_[settings.mtu].push_back(std::move(device));
    }
}

void TunDevices::delete_all() {
    // Remaining devices are deleted as their descriptors close.
    static_cast<void>(delete_group());
    spare_.clear();
}

}  // namespace vpnha::adapters
