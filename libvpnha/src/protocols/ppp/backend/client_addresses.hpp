// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses and networks that a client may have so that other nodes can resume it: there a
// route to it precedes the node's own ones. A client chooses its own address with pppd's
// ipcp-accept-remote, or has one of chap-secrets or RADIUS; a script of pppd's adds networks.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// Why no other node may install them, as text; empty: all may. An address has to lie in the pools
// of its gateway. None of them may belong to a node of corosync.conf, a neighbour, or a RADIUS
// server. No network may overlap with one on the link of a VIP.
[[nodiscard]] std::string hindrance_of_addresses(const config::Config& config,
                                                 const config::Gateway& gateway,
                                                 const std::vector<adapters::ClusterNode>& nodes,
                                                 Ipv4Address client,
                                                 const std::vector<IpPrefix>& networks);

}  // namespace vpnha::runtime
