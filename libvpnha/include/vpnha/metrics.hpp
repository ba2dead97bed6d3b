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
    // Of the one member, a text: the values that the label has, of which one is 1.
    std::vector<std::string> states{};
    // The metric behind which it is shown; empty: behind the row before.
    std::string after{};
};
[[nodiscard]] VPNHA_API std::vector<MetricRow> protocol_metrics();

}  // namespace vpnha
