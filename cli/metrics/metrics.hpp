// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha metrics`. All metrics are in one table, from which docs/operate/metrics.md
// is made.
#pragma once

#include <string>

#include "cli/ask.hpp"
#include "cli/metrics/metric_source.hpp"

namespace vpnha::cli {

// For Prometheus. Throws nlohmann::json::exception if `status` is no result of that verb at all.
[[nodiscard]] std::string render_metrics(const Answers& answers);
// If vpnhad gave no answer.
[[nodiscard]] std::string render_metrics_down();
// Requests them from vpnhad. After any failure the text shows that metrics are missing.
[[nodiscard]] Rendered ask_metrics(const Ask& ask);
// The table in Markdown.
[[nodiscard]] std::string metrics_manual();

}  // namespace vpnha::cli
