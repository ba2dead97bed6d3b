// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that cannot have the gate, and their handling.
//
// A device that carries a gateway has to have it: without it, its gateways are not served. All
// others are barred: nftables drops packets there to or from an address of a gateway, in IPv4,
// IPv6, ARP and neighbour discovery. The gate drops the same where the node has no lease. Here they
// are dropped always, also on the node that serves: nftables knows no lease, and such a device
// needs none of these packets.
//
// The usual obstacle to the gate is an ingress qdisc, where it needs clsact. There the gate's
// program for incoming packets is first, too: a packet that a filter redirects (to an ifb, for a
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

// The text that nft loads; it removes the table when there is no device.
[[nodiscard]] std::string barred_ruleset(const config::Config& config,
                                         const std::vector<Link>& devices);
// Only these are barred from then on; a device that has gone meanwhile is no failure.
[[nodiscard]] Result<void> bar_devices(const config::Config& config,
                                       const std::vector<Link>& devices);
// In both directions.
[[nodiscard]] Result<std::set<LinkIndex>> barred_devices();

// The device, and those that send and receive by it: VLANs on it, the bridge of which it is a port,
// and the devices on top of these.
[[nodiscard]] std::vector<Link> devices_upon(const Link& link, const std::vector<Link>& all);
// Whether packets of a gateway may have to pass there, as far as the node knows. Either it is the
// outside or inside device of one, or has a covered address, or a route to one, also a default
// route; or such a device is on top of it.
[[nodiscard]] Result<bool> carries_gateway(const Link& link, const std::vector<Link>& all,
                                           const config::Config& config);

struct RefusedDevice {
    Link link;
    Error reason;
};
struct BarredDevices {
    std::vector<Link> barred;
    std::vector<RefusedDevice> carrying;  // They carry a gateway, so they may not be barred.
    std::vector<RefusedDevice> failed;    // They cannot be barred, or checked.

    // The error of one that is neither barred nor has the gate.
    [[nodiscard]] Result<void> worst() const;
};
// Bars all of them that may be barred, and no other device. `unless_barred`: devices that are
// barred already stay so. One that has gone meanwhile is in no list.
[[nodiscard]] BarredDevices bar_refused(const config::Config& config,
                                        const std::vector<RefusedDevice>& refused,
                                        const std::vector<Link>& all, bool unless_barred = false);

// Why a device cannot have the gate.
struct GateHindrance {
    Link link;
    std::string reason;  // With the remedy.
    bool carries_gateway = false;
};
// As far as it is visible beforehand; ports of bridges and bonds, too, which need the gate when
// they leave.
[[nodiscard]] Result<std::vector<GateHindrance>> gate_hindrances(
    const config::Config& config, const std::vector<Link>& all,
    GateHook hook = gate_hook_of_kernel());

}  // namespace vpnha::adapters
