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
    // Of the gateway's pools, what charon gives to clients of IKEv2.
    std::vector<IpPrefix> virtual_pools{};
    // Compared with the other nodes', by keyed hashes: what swanctl loads, secrets among it.
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

// The gateway that has it: of the part of a configuration that is about one network namespace, one
// may. nullptr: none has.
[[nodiscard]] const config::Gateway* find_gateway(const config::Config& config);

}  // namespace vpnha::ipsec
