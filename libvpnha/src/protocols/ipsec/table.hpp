// SPDX-License-Identifier: GPL-2.0-or-later
// [gateway.NAME.ipsec] of vpnha.toml: IKE and ESP by the node's charon.
#pragma once

#include <string>
#include <vector>

#include "config/schema.hpp"
#include "tuning/program_version.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::ipsec {

struct Table {
    bool required = false;  // L2TP passes only within IPsec.
    // The part of the gateway's pools that charon assigns to clients of IKEv2.
    std::vector<IpPrefix> virtual_pools{};
    // The files that swanctl loads, with secrets; compared with other nodes' by keyed hashes.
    std::vector<std::string> connections{"/etc/swanctl/swanctl.conf"};

    static const config::Protocol kProtocol;
    [[nodiscard]] static std::vector<config::Key> keys();
    [[nodiscard]] config::Facts facts() const;
    [[nodiscard]] static tuning::Table tuning_rows();
    [[nodiscard]] static std::vector<MetricRow> metric_rows();
    [[nodiscard]] static std::vector<tuning::ProgramVersion> program_versions();
    static void check(const config::Gateway& gateway, const config::Config& config,
                      config::Errors& errors);
};

// The gateway with IPsec. At most one may have it in the part of a configuration for one network
// namespace. nullptr: none has.
[[nodiscard]] const config::Gateway* find_gateway(const config::Config& config);

}  // namespace vpnha::ipsec
