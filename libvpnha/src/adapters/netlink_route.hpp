// SPDX-License-Identifier: GPL-2.0-or-later
// rtnetlink: links, addresses, routes and policy rules. What exists already is a success for
// every add_ and what is gone already one for every delete_, because promotion, demotion and start
// must be repeatable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "adapters/netlink.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"

namespace vpnha::adapters {

// An interface as the kernel numbers it; 0 is none.
using LinkIndex = int;

enum class IpVersion { v4, v6 };

struct LinkAddress {
    LinkIndex link = 0;
    IpPrefix local;
};

class RouteNetlink {
  public:
    [[nodiscard]] static Result<RouteNetlink> open();

    // Error not_found when there is no such interface.
    [[nodiscard]] Result<LinkIndex> find_link(const std::string& name);
    // For a link that is down: its name and MTU, and no IPv6 address of its own making.
    Result<void> prepare_link(LinkIndex link, const std::string& name, std::uint16_t mtu);
    Result<void> set_link_up(LinkIndex link);

    // An IPv6 one can be used at once, without duplicate address detection, but is deprecated (RFC
    // 4862 5.5.4): connections of the node itself do not take it as their source, as they do not
    // take a second IPv4 address of a net.
    Result<void> add_address(LinkIndex link, const IpPrefix& local);
    // Of a point-to-point link, and without the route to `peer` that comes with it otherwise.
    Result<void> add_peer_address(LinkIndex link, Ipv4Address local, Ipv4Address peer);
    Result<void> delete_address(LinkIndex link, const IpPrefix& local);
    // Of both families.
    Result<void> for_each_address(const std::function<void(const LinkAddress&)>& on_address);

    // The route to one host in `table`; takes the place of another one to the same host.
    Result<void> replace_host_route(LinkIndex link, Ipv4Address host, std::uint32_t table);

    // "from all lookup TABLE preference PREFERENCE" in IPv4 or IPv6. Error unsupported when the
    // kernel does not speak that.
    Result<void> add_rule(IpVersion version, std::uint32_t table, std::uint32_t preference);
    Result<void> delete_rule(IpVersion version, std::uint32_t table, std::uint32_t preference);

  private:
    explicit RouteNetlink(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
