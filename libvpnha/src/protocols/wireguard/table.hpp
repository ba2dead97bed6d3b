// SPDX-License-Identifier: GPL-2.0-or-later
// [gateway.NAME.wireguard] of vpnha.toml: by a device of the node's kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::wireguard {

struct Table {
    std::string device = "wg0";
    std::uint16_t listen_port = 51820;
    // Compared with the other nodes', by keyed hashes: the gateway's private key, and its peers.
    std::string private_key = "/etc/vpnha/wireguard.key";
    std::string peers = "/etc/vpnha/wireguard-peers.conf";

    static const config::Protocol kProtocol;
    [[nodiscard]] static std::vector<config::Key> keys();
    [[nodiscard]] config::Facts facts() const;
    [[nodiscard]] static tuning::Table tuning_rows();
    [[nodiscard]] static std::vector<MetricRow> metric_rows();
    static void check(const config::Gateway& gateway, const config::Config& config,
                      config::Errors& errors);
};

}  // namespace vpnha::wireguard
