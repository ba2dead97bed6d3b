// SPDX-License-Identifier: GPL-2.0-or-later
// The device that stands in for the ppp unit of a call: a TUN device "vpnp-N" with the unit's
// addresses and MTU, and a route to the client in the gateway's table. It is up, and nobody reads
// what is sent there until the call is resumed. It is gone when it is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "adapters/netlink/netlink_route.hpp"
#include "adapters/os/unique_fd.hpp"

namespace vpnha::adapters {

class TunDevice {
  public:
    struct Settings {
        Ipv4Address ours;
        Ipv4Address peer;
        std::uint16_t mtu = 0;
        std::uint32_t route_table = 0;
    };

    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<TunDevice> open(RouteNetlink& route, const Settings& settings);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    // The next IP packet, in `room`; empty: there is none.
    [[nodiscard]] ByteView read(std::span<std::uint8_t> room) const;
    // Comes from the client. One that the kernel does not take is lost.
    void write(ByteView packet) const;

  private:
    TunDevice(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

    UniqueFd fd_;
    std::string name_;
};

}  // namespace vpnha::adapters
