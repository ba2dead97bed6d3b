// SPDX-License-Identifier: GPL-2.0-or-later
// [gateway.NAME.echo] of vpnha.toml.
#pragma once

#include <cstdint>
#include <vector>

#include "config/schema.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::echo {

// What keepers::Margin counts with: no responder sends more.
inline constexpr std::uint32_t kAnswersPerSecondMax = 2'000;

struct Table {
    std::uint16_t port = 7007;
    std::uint32_t answers_per_second = kAnswersPerSecondMax;

    static const config::Protocol kProtocol;
    [[nodiscard]] static std::vector<config::Key> keys();
    [[nodiscard]] config::Facts facts() const;
    static void check(const config::Gateway& gateway, const config::Config& config,
                      config::Errors& errors);
    [[nodiscard]] static tuning::Table tuning_rows();
    [[nodiscard]] static std::vector<MetricRow> metric_rows();
};

}  // namespace vpnha::echo
