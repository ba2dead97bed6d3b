// SPDX-License-Identifier: GPL-2.0-or-later
// The metrics of the services beside the protocols: accounting, authorization, scripts, flows.
#pragma once

#include <string_view>
#include <vector>

#include "cli/metrics/metric_source.hpp"

namespace vpnha::cli {

struct Metric {
    std::string_view name;
    MetricType type;
    std::string_view help;
    MetricSource source;
};

using Metrics = std::vector<Metric>;

inline constexpr MetricType kGauge = MetricType::gauge;
inline constexpr MetricType kCounter = MetricType::counter;
inline constexpr MetricType kHistogram = MetricType::histogram;

[[nodiscard]] Metrics of_accounting();
[[nodiscard]] Metrics of_authorization();
[[nodiscard]] Metrics of_scripts();
[[nodiscard]] Metrics of_bandwidth();
[[nodiscard]] Metrics of_flows();

}  // namespace vpnha::cli
