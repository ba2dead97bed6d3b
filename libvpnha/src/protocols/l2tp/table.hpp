// SPDX-License-Identifier: GPL-2.0-or-later
// [gateway.NAME.l2tp] of vpnha.toml.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "tuning/program_version.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::l2tp {

struct Table {
    std::uint16_t port = 1701;
    std::chrono::milliseconds hello_interval{60'000};
    // Compared with the other nodes', by keyed hashes: pppd's secrets and xl2tpd's pppoptfile.
    std::vector<std::string> secrets{"/etc/ppp/chap-secrets", "/etc/ppp/pap-secrets"};
    std::string ppp_options = "/etc/ppp/options.xl2tpd";

    static const config::Protocol kProtocol;
    [[nodiscard]] static std::vector<config::Key> keys();
    [[nodiscard]] config::Facts facts() const;
    [[nodiscard]] static tuning::Table tuning_rows();
    [[nodiscard]] static std::vector<MetricRow> metric_rows();
    [[nodiscard]] static std::vector<tuning::ProgramVersion> program_versions();
};

}  // namespace vpnha::l2tp
