// SPDX-License-Identifier: GPL-2.0-or-later
// Checks that the SAs of the gateway with IPsec can outlive a takeover with its connections.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "config/connections.hpp"
#include "host/netlink/nftables.hpp"
#include "protocols/ipsec/service/apparmor.hpp"

namespace vpnha::runtime {

// Reads the files that the gateway's table names, and those that they include. A file that is no
// swanctl.conf is refused: swanctl would not load it. So is a file that AppArmor hides from
// /usr/sbin/swanctl. `list_rules`: as list_nft_rules(). `settings`: strongSwan's own, which have
// the pools of virtual addresses and eap-radius. A gateway with a network namespace may have other
// pools, and is not compared with these. Returns no findings without such a gateway.
[[nodiscard]] config::ConnectionFindings find_in_connections(
    const config::Config& config,
    const std::function<Result<std::string>()>& list_rules = adapters::list_nft_rules,
    const adapters::ApparmorPlaces& apparmor = {},
    const std::string& settings = "/etc/strongswan.conf");

}  // namespace vpnha::runtime
