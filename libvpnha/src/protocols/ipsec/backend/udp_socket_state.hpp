// SPDX-License-Identifier: GPL-2.0-or-later
// The UDP socket on this machine that receives what is sent to an address: its owner, and how much
// it has not read yet. The kernel finds that one socket; /proc/net/udp would list those of all
// tunnels.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

struct UdpSocketState {
    std::uint64_t cookie = 0;  // Unique among the sockets of this boot.
    std::uint32_t uid = 0;
    std::uint32_t queued_bytes = 0;  // Not read yet, including the kernel's overhead.
    std::uint32_t drops = 0;         // Datagrams for which there was no room.
    friend bool operator==(const UdpSocketState&, const UdpSocketState&) = default;
};

class UdpSockets {
  public:
    // Must be called in the network namespace of the gateway.
    [[nodiscard]] static Result<UdpSockets> open();

    // The socket that receives what `from` sends to `to`; nothing: there is no such socket.
    [[nodiscard]] Result<std::optional<UdpSocketState>> find(const Ipv4Endpoint& from,
                                                             const Ipv4Endpoint& to);

  private:
    explicit UdpSockets(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
