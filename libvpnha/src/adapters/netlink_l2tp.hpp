// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's L2TP over generic netlink, as far as resumed tunnels need it. PPPoX sockets alone
// would give a tunnel its 16-bit id for a name and clash with a stock daemon's; here the name has
// 32 bits, of which the wire sees the lower 16.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/netlink.hpp"
#include "base/ids.hpp"

namespace vpnha::adapters {

class L2tpNetlink {
  public:
    // Error unsupported when the kernel has no l2tp_netlink.
    [[nodiscard]] static Result<L2tpNetlink> open();

    // Makes the connected UDP socket `udp` carry the tunnel, version 2. Error already_exists when
    // `connection_id` is taken.
    Result<void> create_tunnel(std::uint32_t connection_id, TunnelId peer, int udp);
    // The kernel ends its sessions too; a tunnel that is gone is a success.
    Result<void> delete_tunnel(std::uint32_t connection_id);
    // Connection ids of all tunnels in this network namespace, stock ones included.
    [[nodiscard]] Result<std::vector<std::uint32_t>> tunnels();

  private:
    L2tpNetlink(NetlinkSocket socket, std::uint16_t family)
        : socket_(std::move(socket)), family_(family) {}
    [[nodiscard]] NetlinkRequest request(std::uint8_t command, std::uint16_t flags) const;

    NetlinkSocket socket_;
    std::uint16_t family_;
};

}  // namespace vpnha::adapters
