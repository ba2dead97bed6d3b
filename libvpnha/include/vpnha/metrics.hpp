// SPDX-License-Identifier: GPL-2.0-or-later
// The metrics of each protocol, as `vpnha metrics` reads them out of the result of `status`.
//
// Example:
//     void list_metrics() {
//         for (const vpnha::MetricRow& row : vpnha::protocol_metrics()) {
//             std::printf("%s: %s\n", row.name.c_str(), row.help.c_str());
//         }
//     }
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vpnha/export.hpp"

namespace vpnha {

struct MetricRow {
    std::string name;  // Of a counter it ends in "_total"; the others are gauges.
    std::string help;
    bool is_of_gateway = false;  // The members are those of each gateway, not of the node.
    std::string label{};         // Empty: it has none.
    // Values of the label, and for each the JSON pointer of its member: "/counters/pptp_resets".
    std::vector<std::pair<std::string, std::string>> members{};
    // If the only member is a text: the values of the label, of which one has the sample 1.
    std::vector<std::string> states{};
    // The metric that it follows in the output; empty: the row before.
    std::string after{};
};
[[nodiscard]] VPNHA_API std::vector<MetricRow> protocol_metrics();

}  // namespace vpnha
