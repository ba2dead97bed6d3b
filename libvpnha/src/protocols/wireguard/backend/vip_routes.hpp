// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard's own packets leave from the gateway's address. The kernel takes the source of a first
// packet from its route, and a client answers to that source. Otherwise it would roam to the node's
// own address, and be lost with the node.
//
//   fwmark MARK lookup TABLE           | what the device sends
//   TABLE: as the node's main table    | over the outside device, with the VIP as the source
//   has it, or by default_via          | of what has none yet
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

struct VipRoutes {
    std::string interface;
    std::vector<IpPrefix> vips;
    std::vector<IpAddress> default_via;
    std::uint32_t table = 0;
    std::uint32_t preference = 0;
    std::uint32_t mark = 0;
};

// The routes of a main table over the device
// that the table is to have; `is_v6`: the family.
[[nodiscard]] std::vector<TableRoute> routes_from_vip(const VipRoutes& settings, bool is_v6,
                                                      const std::vector<TableRoute>& main);

// Called while the node has the VIPs.
[[nodiscard]] Result<void> add_vip_routes(RouteNetlink& route, const VipRoutes& settings);
[[nodiscard]] Result<void> remove_vip_routes(RouteNetlink& route, const VipRoutes& settings);

}  // namespace vpnha::adapters
