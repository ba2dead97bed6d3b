// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha metrics` says. All metrics stand in one table, from which docs/operate/metrics.md is
// made.
#pragma once

#include <string>

#include "cli/ask.hpp"
#include "cli/metrics/metric_source.hpp"

namespace vpnha::cli {

// For Prometheus. Throws nlohmann::json::exception when `status` is no result of that verb at all.
[[nodiscard]] std::string render_metrics(const Answers& answers);
// When vpnhad gave no answer.
[[nodiscard]] std::string render_metrics_down();
// Asks for them. Whatever went wrong, who reads the metrics learns that they are not there.
[[nodiscard]] Rendered ask_metrics(const Ask& ask);
// The table in Markdown.
[[nodiscard]] std::string metrics_manual();

}  // namespace vpnha::cli
