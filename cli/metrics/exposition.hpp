// SPDX-License-Identifier: GPL-2.0-or-later
// Prometheus' text exposition format, version 0.0.4.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vpnha::cli {

enum class MetricType { gauge, counter, histogram };

[[nodiscard]] std::string_view to_string(MetricType type);

struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
    std::string suffix{};  // Of a histogram: "_bucket", "_sum", "_count".
};

// HELP, TYPE and the samples; an empty text if there are none.
[[nodiscard]] std::string exposition(std::string_view name, MetricType type, std::string_view help,
                                     const std::vector<Sample>& samples);

}  // namespace vpnha::cli
