// SPDX-License-Identifier: GPL-2.0-or-later
// The devices in place of the ppp units of calls: TUN devices "vpnp-N" with the unit's addresses
// and MTU. Routes to the client, and to the networks behind it, are in the gateway's table. The
// devices are up, and packets sent there are not read until their call is resumed.
//
// The kernel takes 20 ms to delete one, and blocks all other network configuration meanwhile. So a
// device that a call has left waits for the next call, and in the end all are deleted at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/accounting.hpp"
#include "host/netlink/netlink_route.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/ppp/model/link_options.hpp"

namespace vpnha::adapters {

class TunDevice {
  public:
    TunDevice(UniqueFd fd, LinkIndex link, std::uint16_t mtu)
        : fd_(std::move(fd)), link_(link), mtu_(mtu) {}

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] LinkIndex link() const { return link_; }
    [[nodiscard]] std::uint16_t mtu() const { return mtu_; }
    // Its counters before TunDevices::take().
    [[nodiscard]] const Traffic& before() const { return before_; }
    void set_before(const Traffic& before) { before_ = before; }

  private:
    UniqueFd fd_;
    LinkIndex link_;
    std::uint16_t mtu_;
    Traffic before_;
};

class TunDevices {
  public:
    struct Settings {
        Ipv4Address ours;
        Ipv4Address peer;
        std::uint16_t mtu = 0;
        std::uint32_t route_table = 0;  // 0: without a route.
        std::vector<IpPrefix> networks{};
        std::optional<ppp::Ipv6Identifiers> ipv6{};  // Below kIpv6MtuMin of no effect.
    };

    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<TunDevices> open();

    [[nodiscard]] Result<TunDevice> take(const Settings& settings);
    // `settings`: those passed to take().
    void give_back(TunDevice device, const Settings& settings);
    // Also those that calls have: afterwards nothing is read from them.
    void delete_all();

  private:
    explicit TunDevices(RouteNetlink route) : route_(std::move(route)) {}
    [[nodiscard]] Result<TunDevice> create(std::uint16_t mtu);
    [[nodiscard]] Result<void> set_up(const TunDevice& device, const Settings& settings);
    [[nodiscard]] Result<void> clear(const TunDevice& device, const Settings& settings);

    RouteNetlink route_;
    std::map<std::uint16_t, std::vector<TunDevice>> spare_;  // By MTU.
};

}  // namespace vpnha::adapters
