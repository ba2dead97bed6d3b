// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel objects of one resumed L2TP session, each held by one descriptor: the tunnel's UDP
// socket, the session's PPPoX socket, the PPP channel over it and the PPP unit, which is the
// network interface. They are created without sending a packet. They end when their descriptors
// close, also by the death of the process.
#pragma once

#include <cstdint>
#include <string>

#include "host/netlink/netlink_route.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::adapters {

// Bound to the VIP, which this node need not have (IP_TRANSPARENT), and connected to the peer. So
// it takes precedence over a stock daemon's listening socket on the same address.
[[nodiscard]] Result<UniqueFd> open_tunnel_socket(const l2tp::TunnelKey& key);

// For the tunnel that the kernel knows as `connection_id` on the socket `udp`.
[[nodiscard]] Result<UniqueFd> open_session_socket(const l2tp::SessionKey& key,
                                                   std::uint32_t connection_id, int udp);

// In this order, because they close in the reverse one: first the interface, last the session.
struct PppLink {
    UniqueFd session;
    UniqueFd channel;  // LCP and authentication.
    UniqueFd unit;     // Network control protocols.
    std::string name;  // "vpnha17": the unit's number, so no clash with pppd's pppN.
    LinkIndex index = 0;
};

// The interface exists and is down. Without IPv6CP in the record IPv6 is disabled on it: none of
// the node's own IPv6 packets may enter the tunnel.
[[nodiscard]] Result<PppLink> open_ppp_link(UniqueFd session, const l2tp::SessionRecord& record);

}  // namespace vpnha::adapters
