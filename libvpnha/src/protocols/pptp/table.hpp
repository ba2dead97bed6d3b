// SPDX-License-Identifier: GPL-2.0-or-later
// [gateway.NAME.pptp] of vpnha.toml: PPTP by the node's stock pptpd.
#pragma once

#include <string>
#include <vector>

#include "config/schema.hpp"
#include "tuning/program_version.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::pptp {

struct Table {
    // Compared with the other nodes', by keyed hashes: pppd's secrets and pptpd's option.
    std::vector<std::string> secrets{"/etc/ppp/chap-secrets"};
    std::string ppp_options = "/etc/ppp/pptpd-options";

    static const config::Protocol kProtocol;
    [[nodiscard]] static std::vector<config::Key> keys();
    [[nodiscard]] config::Facts facts() const;
    [[nodiscard]] static tuning::Table tuning_rows();
    [[nodiscard]] static std::vector<MetricRow> metric_rows();
    [[nodiscard]] static std::vector<tuning::ProgramVersion> program_versions();
};

}  // namespace vpnha::pptp
