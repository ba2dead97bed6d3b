// SPDX-License-Identifier: GPL-2.0-or-later
// This node's charon and the kernel's ESP SAs, for the gateway that has IPsec.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapters/ipsec/charon_relay.hpp"
#include "adapters/os/qb_loop.hpp"
#include "config/config.hpp"
#include "effects/ipsec_work.hpp"
#include "ports/ike_watch.hpp"
#include "ports/port_map.hpp"
#include "ports/sa_table.hpp"

namespace vpnha::runtime {

struct Ipsec {
    std::unique_ptr<ports::SaTable> sas;
    std::unique_ptr<ports::PortMap> port_map;
    std::unique_ptr<ports::IkeWatch> ike_watch;
    std::unique_ptr<adapters::CharonRelay> charon;
    GatewayId gateway;
};

// Nothing, when no gateway has IPsec. `tell` is called from the loop, which must outlive what is
// returned. Errors are those of netlink and of the cluster's key in `key_file`.
[[nodiscard]] Result<Ipsec> open_ipsec(
    const config::Config& config, adapters::QbLoop& loop, const std::string& key_file,
    std::function<void(GatewayId, const node::IpsecEvent&)> tell);

}  // namespace vpnha::runtime
