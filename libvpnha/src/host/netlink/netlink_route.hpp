// SPDX-License-Identifier: GPL-2.0-or-later
// rtnetlink: links, addresses, routes and policy rules, in either family. An existing object is a
// success for every add_, and a missing one for every delete_, because promotion, demotion and
// start must be repeatable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

// RFC 8200 5.
inline constexpr std::uint16_t kIpv6MtuMin = 1280;

// An interface as the kernel numbers it; 0 is none.
using LinkIndex = int;

struct LinkState {
    LinkIndex index = 0;
    bool is_up = false;  // Set up, and it has a carrier.
    friend bool operator==(const LinkState&, const LinkState&) = default;
};

// A device of the node's network namespace, as a message RTM_NEWLINK describes it.
struct Link {
    std::string name;
    LinkState state;
    std::uint16_t hardware = 0;  // ARPHRD_ETHER, ARPHRD_PPP, ...
    std::string kind;            // "vlan", "bridge", ...; empty for a driver's own device.
    // Belongs to a bridge, bond or the like, which receives instead of it. A device in a VRF
    // receives for itself.
    bool is_port = false;
    LinkIndex upper = 0;          // The device to which it belongs, a VRF as well.
    LinkIndex lower = 0;          // The device below it: of a VLAN, a macvlan, a tunnel.
    std::uint32_t vrf_table = 0;  // Of a VRF.
    MacAddress mac{};             // Of Ethernet alone.
};

struct LinkAddress {
    LinkIndex link = 0;
    IpPrefix local;
};

// In the field rtm_protocol of all routes that this project adds, and in FRA_PROTOCOL of its policy
// rules (rtnetlink(7)); iproute2's rt_protos has no name for it.
inline constexpr std::uint8_t kOwnRouteProtocol = 118;

// "from FROM to TO fwmark MARK lookup TABLE suppress_prefixlength 0 preference PREFERENCE"
struct PolicyRule {
    bool is_v6 = false;
    std::optional<IpAddress> from;
    std::optional<std::uint32_t> mark;
    std::uint32_t table = 0;
    std::uint32_t preference = 0;
    std::optional<IpPrefix> to = std::nullopt;
    bool passes_default = false;  // Not by a default route of the table: the next rule applies.
    friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};

// A rule as the kernel lists it, with conditions that PolicyRule cannot express.
struct ListedRule {
    PolicyRule rule;  // `from` only if it is one address.
    bool is_own = false;
    bool is_l3mdev = false;     // Of the kernel, for all VRFs.
    bool continues = false;     // It has no table: "goto", "nop".
    bool is_selective = false;  // By mark, port, protocol, user, TOS, tunnel or sending device.
    std::string text;           // As ip-rule(8) writes it: "from 192.0.2.0/24 lookup 100".
};

// To `destination` in `table`, over a link that the caller names: to `via`, or to the neighbours
// there.
struct TableRoute {
    IpPrefix destination;
    std::optional<IpAddress> via;
    std::uint32_t table = 0;
    friend bool operator==(const TableRoute&, const TableRoute&) = default;
};

// A route as the kernel lists it.
struct ListedRoute {
    TableRoute route;
    LinkIndex over = 0;  // 0: several devices, or none.
    bool is_unicast = false;
    bool is_own = false;
    std::uint8_t protocol = 0;  // RTPROT_KERNEL, RTPROT_BOOT, ...
};

// A filter of traffic control. `program` is the kernel's number of its BPF program; 0: none.
struct LinkFilter {
    std::uint32_t handle = 0;
    std::uint32_t program = 0;
};

// The state in a message RTM_NEWLINK.
[[nodiscard]] LinkState link_state_of(const nlmsghdr* message);
[[nodiscard]] Link link_of(const nlmsghdr* message);

class RouteNetlink {
  public:
    [[nodiscard]] static Result<RouteNetlink> open();

    // nullopt: there is no such interface.
    [[nodiscard]] Result<std::optional<LinkState>> find_link(const std::string& name);
    [[nodiscard]] Result<bool> has_link(LinkIndex link);
    [[nodiscard]] Result<std::optional<Link>> find_device(const std::string& name);
    [[nodiscard]] Result<std::optional<Link>> find_device(LinkIndex link);
    // Also while others are added and removed: it includes each link that existed all the time, and
    // perhaps one that is removed meanwhile.
    Result<void> for_each_link(const std::function<void(Link)>& on_link);
    // For a link that is down: sets its name and MTU, and disables automatic IPv6 addresses. Below
    // kIpv6MtuMin it has no IPv6 at all.
    Result<void> prepare_link(LinkIndex link, const std::string& name, std::uint16_t mtu);
    Result<void> set_link_up(LinkIndex link);
    // A device for VLAN `id` (1..4094) on `parent`, set up.
    Result<void> add_vlan(LinkIndex parent, std::uint16_t id, const std::string& name);
    // A device of that kind, set down; replaces an earlier one. Error already_exists: one of
    // another kind has the name. Error unsupported: the kernel does not have the kind.
    Result<void> add_device(const std::string& name, const std::string& kind);
    // A pair of veth devices, set down; replaces an earlier one of the name `near`. Error
    // unsupported: the kernel has none.
    Result<void> add_pair(const std::string& near, const std::string& far);
    Result<void> delete_link(LinkIndex link);
    // For an existing link: the caller chooses the number, from 1 on.
    Result<void> set_link_group(LinkIndex link, std::uint32_t group);
    // All of them at once; no effect when there is none.
    Result<void> delete_link_group(std::uint32_t group);
    // kPlugs queues for packets that leave by the link, by skb->priority (1:1, 1:2), each up to so
    // many octets; all closed. Error unsupported: the kernel has no sch_prio or sch_plug.
    static constexpr std::uint32_t kPlugs = 2;
    Result<void> add_plugs(LinkIndex link, std::uint32_t octets_max);
    // One of them, from 1 on, holds later packets; or releases them, with the held ones.
    Result<void> close_plug(LinkIndex link, std::uint32_t plug);
    Result<void> release_plug(LinkIndex link, std::uint32_t plug);
    // Removes all of them, and the packets that they hold.
    Result<void> delete_plugs(LinkIndex link);
    // The kind of qdisc to which filters of incoming packets are attached: "clsact", "ingress";
    // empty when there is none.
    [[nodiscard]] Result<std::string> ingress_qdisc(LinkIndex link);
    // The filters of clsact with this priority, in the order in which they run. `parent` is
    // TC_H_MIN_INGRESS or TC_H_MIN_EGRESS. Empty if there is no clsact, or no such device. An
    // ingress qdisc returns the filters of its one block for either parent.
    [[nodiscard]] Result<std::vector<LinkFilter>> filters(LinkIndex link, std::uint32_t parent,
                                                          std::uint16_t priority);

    // An IPv6 one can be used at once, without duplicate address detection, but is deprecated (RFC
    // 4862 5.5.4): connections of the node itself do not select it as their source, just as they do
    // not select a second IPv4 address of a net.
    Result<void> add_address(LinkIndex link, const IpPrefix& local);
    // The kernel removes it when the lifetime has
    // passed since the last call: up to a second later.
    Result<void> lend_address(LinkIndex link, const IpPrefix& local, std::chrono::seconds lifetime);
    // On a point-to-point link, and without the route to `peer` that is otherwise added with it.
    Result<void> add_peer_address(LinkIndex link, Ipv4Address local, Ipv4Address peer);
    // On a point-to-point link that is up, both link-local in IPv6; the route to `peer` is added
    // with them.
    Result<void> add_link_local_peer(LinkIndex link, const IpAddress& local, const IpAddress& peer);
    // This one: with another prefix length it is another address.
    Result<void> delete_address(LinkIndex link, const IpPrefix& local);
    // In IPv4 with any prefix length or peer; when there are several, the first of them.
    Result<void> flush_address(LinkIndex link, const IpPrefix& local);
    [[nodiscard]] Result<std::vector<IpPrefix>> addresses(LinkIndex link);
    // Of both families; of all links, or of one.
    Result<void> for_each_address(const std::function<void(const LinkAddress&)>& on_address,
                                  LinkIndex link = 0);

    // Neighbours there for which the kernel waits, or has waited in vain: it queries them anew.
    Result<void> forget_unresolved(LinkIndex link);

    // Replaces another one to the same destination. Packets without a source address get `source`,
    // which the node has to have.
    Result<void> add_route(LinkIndex link, const TableRoute& route,
                           const std::optional<IpAddress>& source = std::nullopt);
    Result<void> delete_route(LinkIndex link, const TableRoute& route);
    [[nodiscard]] Result<bool> has_route(LinkIndex link, const TableRoute& route);
    // Of both families and all tables; those to other hosts, also if the link is one of several
    // paths to them.
    Result<void> for_each_route(LinkIndex link,
                                const std::function<void(const TableRoute&)>& on_route);
    // Of both families; a kernel that does not filter sends all of its routes.
    Result<void> for_each_route_in(std::uint32_t table,
                                   const std::function<void(const ListedRoute&)>& on_route);

    // Error unsupported when the kernel does not support the rule's family.
    Result<void> add_rule(const PolicyRule& rule);
    // Also deletes this project's rules of this table and preference with more conditions: until
    // none is left.
    Result<void> delete_rule(const PolicyRule& rule);
    [[nodiscard]] Result<bool> has_rule(const PolicyRule& rule);
    // Of one family, in the kernel's order of evaluation; none if the kernel does not have it.
    Result<void> for_each_rule(bool is_v6, const std::function<void(const ListedRule&)>& on_rule);

  private:
    explicit RouteNetlink(NetlinkSocket socket) : socket_(std::move(socket)) {}
    [[nodiscard]] Result<std::optional<Link>> ask_device(NetlinkRequest& request,
                                                         const std::string& name);
    Result<void> change_plug(LinkIndex link, std::uint32_t plug, int action, std::string_view what);

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
