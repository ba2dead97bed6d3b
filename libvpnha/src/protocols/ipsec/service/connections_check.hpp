// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the connections of the gateway with IPsec are such that its SAs outlive a takeover.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "config/connections.hpp"
#include "host/netlink/nftables.hpp"
#include "protocols/ipsec/service/apparmor.hpp"

namespace vpnha::runtime {

// Reads the files that the gateway's table names, and what they include. A file that is no
// swanctl.conf is refused: swanctl would not load it. So is one that AppArmor does not let swanctl
// read, at /usr/sbin/swanctl. `list_rules`: as list_nft_rules() does. `settings`: strongSwan's own,
// which have the pools of virtual addresses and eap-radius; a gateway with a network namespace may
// have other pools, and is not compared with these. Nothing without such a gateway.
[[nodiscard]] config::ConnectionFindings find_in_connections(
    const config::Config& config,
    const std::function<Result<std::string>()>& list_rules = adapters::list_nft_rules,
    const adapters::ApparmorPlaces& apparmor = {},
    const std::string& settings = "/etc/strongswan.conf");

}  // namespace vpnha::runtime
