// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's WireGuard listens on all addresses of its node, and would answer handshakes there on
// standbys as well. It sends from them where nothing leads it elsewhere. A client that hears a
// standby goes there with all its traffic. So nftables drops what comes to the port, or leaves from
// it, by another address than the gateway's, on every node and at any time. The gate decides about
// the gateway's own.
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

// What nft makes of it, whether there is such a table or not.
[[nodiscard]] std::string guard_ruleset(const PortGuard& guard);

// The table is replaced as a whole.
[[nodiscard]] Result<void> guard_port(const PortGuard& guard);
// It is there again if somebody has flushed the ruleset.
[[nodiscard]] Result<void> keep_port_guarded(const PortGuard& guard);
[[nodiscard]] Result<void> leave_port_alone(const PortGuard& guard);

}  // namespace vpnha::adapters
