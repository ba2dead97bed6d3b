// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's entries for which it answers ARP and neighbour solicitations of others (`ip
// neighbour … proxy`), by rtnetlink. It answers for addresses with a route over another device, if
// that family is forwarded; for IPv6 only with proxy_ndp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "config/config.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

class ProxyTable {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<ProxyTable> open();

    // A success if it exists already. Error not_found: there is no such interface.
    Result<void> add(const std::string& interface, const IpAddress& address);
    // A success if it does not exist, or the interface is gone.
    Result<void> remove(const std::string& interface, const IpAddress& address);
    // Of both families.
    [[nodiscard]] Result<std::vector<IpAddress>> list(const std::string& interface);

  private:
    explicit ProxyTable(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

// Removes the entries of the gateway's pools on both its sides, whoever made them: for a start, and
// for an agent beside a dead vpnhad.
Result<void> flush_proxies(const config::Gateway& gateway);

}  // namespace vpnha::adapters
