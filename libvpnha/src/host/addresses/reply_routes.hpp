// SPDX-License-Identifier: GPL-2.0-or-later
// Answers leave by the link on which the request arrived: a separate table for packets from an
// address of that link.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.hpp"
#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

// "from ADDRESS lookup TABLE" for each of them.
[[nodiscard]] std::vector<PolicyRule> rules_from(const std::vector<IpPrefix>& addresses,
                                                 std::uint32_t table, std::uint32_t preference);

// The table's routes: by each router to everywhere, except the networks of the addresses, which are
// on the link itself. At most one router of each family.
[[nodiscard]] std::vector<TableRoute> routes_by(const std::vector<IpAddress>& routers,
                                                const std::vector<IpPrefix>& addresses,
                                                std::uint32_t table);

}  // namespace vpnha::adapters
