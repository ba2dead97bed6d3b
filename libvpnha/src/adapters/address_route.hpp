// SPDX-License-Identifier: GPL-2.0-or-later
// rtnetlink for what ocf:vpnha:vip brings to a node, in either family: addresses, policy rules,
// routes of a table, a VLAN device. What exists already is a success for every add_ and what is
// gone already one for every delete_.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/ip_prefix.hpp"
#include "adapters/netlink.hpp"
#include "adapters/netlink_route.hpp"

namespace vpnha::adapters {

struct LinkState {
    LinkIndex index = 0;
    bool is_up = false;  // Set up, and it has a carrier.
    friend bool operator==(const LinkState&, const LinkState&) = default;
};

// "from FROM fwmark MARK lookup TABLE preference PREFERENCE"
struct PolicyRule {
    bool is_v6 = false;
    std::optional<IpAddress> from;
    std::optional<std::uint32_t> mark;
    std::uint32_t table = 0;
    std::uint32_t preference = 0;
    friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};

// To `destination` in `table`, over a link that the caller names: to `via`, or to the neighbours
// there.
struct TableRoute {
    IpPrefix destination;
    std::optional<IpAddress> via;
    std::uint32_t table = 0;
    friend bool operator==(const TableRoute&, const TableRoute&) = default;
};

// What a message RTM_NEWLINK says.
[[nodiscard]] LinkState link_state_of(const nlmsghdr* message);

class AddressRoute {
  public:
    [[nodiscard]] static Result<AddressRoute> open();

    // nullopt: there is no such interface.
    [[nodiscard]] Result<std::optional<LinkState>> find_link(const std::string& name);
    // A device for VLAN `id` (1..4094) on `parent`, set up.
    Result<void> add_vlan(LinkIndex parent, std::uint16_t id, const std::string& name);
    Result<void> delete_link(LinkIndex link);

    // An IPv6 address is usable at once: whoever calls this has looked for duplicates himself. And
    // it is deprecated: as with a secondary IPv4 address, the node's own connections do not begin
    // with an address that may move away from under them.
    Result<void> add_address(LinkIndex link, const IpPrefix& address);
    Result<void> delete_address(LinkIndex link, const IpPrefix& address);
    [[nodiscard]] Result<std::vector<IpPrefix>> addresses(LinkIndex link);

    Result<void> add_rule(const PolicyRule& rule);
    Result<void> delete_rule(const PolicyRule& rule);
    [[nodiscard]] Result<bool> has_rule(const PolicyRule& rule);

    Result<void> add_route(LinkIndex link, const TableRoute& route);
    Result<void> delete_route(LinkIndex link, const TableRoute& route);
    [[nodiscard]] Result<bool> has_route(LinkIndex link, const TableRoute& route);

  private:
    explicit AddressRoute(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
