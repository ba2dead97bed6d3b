// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's WireGuard listens on all addresses of its node, and would answer handshakes there on
// standbys as well. It sends from them unless a route selects another address. A client that
// receives a packet from a standby sends all its traffic there. So nftables drops packets to or
// from the port at any address except the gateway's, on every node and at any time. The gate
// decides about the gateway's own addresses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct PortGuard {
    std::string table;  // Of nftables' family inet.
    std::uint16_t port = 0;
    std::vector<IpPrefix> vips;
};

// The text that nft loads, whether there is such a table or not.
[[nodiscard]] std::string guard_ruleset(const PortGuard& guard);

// The table is replaced as a whole.
[[nodiscard]] Result<void> guard_port(const PortGuard& guard);
// Restores the table if somebody has flushed the ruleset.
[[nodiscard]] Result<void> keep_port_guarded(const PortGuard& guard);
[[nodiscard]] Result<void> leave_port_alone(const PortGuard& guard);

}  // namespace vpnha::adapters
