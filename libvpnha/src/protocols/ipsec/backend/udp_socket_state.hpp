// SPDX-License-Identifier: GPL-2.0-or-later
// The UDP socket of whatever process of this machine gets what is sent to an address: whose it is,
// and how much it has not read yet. The kernel finds that one socket; /proc/net/udp would list
// those of all tunnels.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

struct UdpSocketState {
    std::uint64_t cookie = 0;  // No other socket of this boot has it.
    std::uint32_t uid = 0;
    std::uint32_t queued_bytes = 0;  // Not read yet, with the kernel's own share.
    std::uint32_t drops = 0;         // Datagrams for which there was no room.
    friend bool operator==(const UdpSocketState&, const UdpSocketState&) = default;
};

class UdpSockets {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<UdpSockets> open();

    // Of what `from` sends to `to`; nothing: nobody is there.
    [[nodiscard]] Result<std::optional<UdpSocketState>> find(const Ipv4Endpoint& from,
                                                             const Ipv4Endpoint& to);

  private:
    explicit UdpSockets(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
