// SPDX-License-Identifier: GPL-2.0-or-later
// Queries the neighbours of vpnha.toml, on the devices of their sides, and reports those that have
// answered. A standby queries like a promoted node: in the name of the device's own first IPv4
// address, or without a sender when that is a VIP or there is none. IPv6 neighbours are queried
// from the device's link-local address.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "config/config.hpp"
#include "host/addresses/packet.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/neighbours.hpp"

namespace vpnha::adapters {

class NeighbourWatch : public ports::Neighbours {
  public:
    using OnAnswer = std::function<void(GatewayId, LinkSide, const IpAddress&)>;

    // Both must outlive it.
    NeighbourWatch(const config::Config& config, QbLoop& loop, OnAnswer on_answer);
    ~NeighbourWatch() override;
    NeighbourWatch(const NeighbourWatch&) = delete;
    NeighbourWatch& operator=(const NeighbourWatch&) = delete;

    void ask(GatewayId gateway, LinkSide side) override;
    // The device of that name is another one now: its sockets are opened anew.
    void forget(const std::string& interface);

  private:
    // A device, and whether it is about IPv6.
    using Place = std::pair<std::string, bool>;

    [[nodiscard]] Result<PacketSocket*> socket_of(const Place& place);
    [[nodiscard]] Result<void> ask(const std::string& interface, const IpAddress& address);
    [[nodiscard]] Ipv4Address own_address(const std::string& interface) const;
    void read(const Place& place);
    void close(const Place& place);

    const config::Config& config_;
    QbLoop& loop_;
    OnAnswer on_answer_;
    std::map<Place, PacketSocket> sockets_;
};

}  // namespace vpnha::adapters
