// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pptp/tun_device.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

// After <net/if.h>, whose types it otherwise defines again.
#include <linux/if_tun.h>

#include <cerrno>
#include <cstring>

namespace vpnha::adapters {

Result<TunDevice> TunDevice::open(RouteNetlink& route, const Settings& settings) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        return tl::unexpected(system_error("open /dev/net/tun", errno));
    }
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strcpy(request.ifr_name, "vpnp-%d");  // The kernel takes the first free number.
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
        return tl::unexpected(system_error("create a TUN device", errno));
    }
    const std::string name = request.ifr_name;
    VPNHA_TRY(const std::optional<LinkState> link, route.find_link(name));
    if (!link) {
        return fail(Errc::not_found, name + " has been deleted");
    }
    VPNHA_CHECK(route.prepare_link(link->index, name, settings.mtu));
    VPNHA_CHECK(route.add_peer_address(link->index, settings.ours, settings.peer));
    VPNHA_CHECK(route.set_link_up(link->index));
    VPNHA_CHECK(route.add_route(
        link->index, {host_prefix(IpAddress(settings.peer)), std::nullopt, settings.route_table}));
    return TunDevice(std::move(fd), name);
}

ByteView TunDevice::read(std::span<std::uint8_t> room) const {
    const ssize_t got = ::read(fd_.get(), room.data(), room.size());
    return got <= 0 ? ByteView{} : ByteView(room.data(), static_cast<std::size_t>(got));
}

void TunDevice::write(ByteView packet) const {
    static_cast<void>(!::write(fd_.get(), packet.data(), packet.size()));
}

}  // namespace vpnha::adapters
