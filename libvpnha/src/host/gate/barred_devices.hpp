// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that cannot have the gate, and what becomes of them.
//
// One that carries a gateway has to have it: without it, its gateways are not served. All others
// are barred: nftables drops there what comes to an address of a gateway, and what leaves from one,
// in IPv4, IPv6, ARP and neighbour discovery. That is what the gate drops where the node has no
// lease. Here it is dropped always, also on the node that serves: nftables knows no lease, and such
// a device needs none of these packets.
//
// What stands in the gate's way is mostly an ingress qdisc, where it needs clsact. There the gate's
// program for incoming packets stands first, too: what a filter there redirects (to an ifb, for a
// limit) passes no hook of nftables. Outgoing packets pass the egress hook, which kernels have
// since 5.16, before all qdiscs.
//
// The table outlives vpnhad, as the gate does. It is replaced as a whole.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/gate/gate_chain.hpp"
#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

// Of the family netdev.
inline constexpr const char* kBarredTable = "vpnha_barred";

// What nft makes of it; the table goes when there is no device.
[[nodiscard]] std::string barred_ruleset(const config::Config& config,
                                         const std::vector<Link>& devices);
// These are barred from then on, and no others; one that has gone meanwhile is no failure.
[[nodiscard]] Result<void> bar_devices(const config::Config& config,
                                       const std::vector<Link>& devices);
// Of both directions.
[[nodiscard]] Result<std::set<LinkIndex>> barred_devices();

// The device, and those that send and receive by it: VLANs on it, the bridge it is a port of, and
// what stands on these.
[[nodiscard]] std::vector<Link> devices_upon(const Link& link, const std::vector<Link>& all);
// Whether packets of a gateway may have to pass there, by what the node knows: it is outside or
// inside of one, or has an address of what is covered, or a route to it, also a default route; or
// a device upon it.
[[nodiscard]] Result<bool> carries_gateway(const Link& link, const std::vector<Link>& all,
                                           const config::Config& config);

struct RefusedDevice {
    Link link;
    Error reason;
};
struct BarredDevices {
    std::vector<Link> barred;
    std::vector<RefusedDevice> carrying;  // A gateway: they may not be barred.
    std::vector<RefusedDevice> failed;    // They cannot be barred, or looked at.

    // Of one that is neither barred nor has the gate.
    [[nodiscard]] Result<void> worst() const;
};
// Bars all of them that it may, and no other device. `unless_barred`: what is barred already, stays
// as it is. One that has gone meanwhile is in no list.
[[nodiscard]] BarredDevices bar_refused(const config::Config& config,
                                        const std::vector<RefusedDevice>& refused,
                                        const std::vector<Link>& all, bool unless_barred = false);

// What keeps the gate from a device.
struct GateHindrance {
    Link link;
    std::string reason;  // With what to do about it.
    bool carries_gateway = false;
};
// By what can be seen beforehand; ports of bridges and bonds, too, which need the gate when they
// leave.
[[nodiscard]] Result<std::vector<GateHindrance>> gate_hindrances(
    const config::Config& config, const std::vector<Link>& all,
    GateHook hook = gate_hook_of_kernel());

}  // namespace vpnha::adapters
