// SPDX-License-Identifier: GPL-2.0-or-later
// The sources of metrics: members of the results of `status` and
// `gate`, /proc, and the results of the probes. A member that is
// null, or that an older vpnhad does not have, gives no sample.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/metrics/exposition.hpp"
#include "cli/metrics/pppd_use.hpp"
#include "cli/metrics/probe_marks.hpp"

namespace vpnha::cli {

// `gate` is null if the kernel could not be asked.
struct Answers {
    nlohmann::json status{};
    nlohmann::json gate{};
    std::optional<PppdUse> pppds{};
    std::vector<ProbeMark> probes{};
};

struct MetricSource {
    // For the documents: the labels, and the members by docs/reference/control-protocol.md.
    std::string labels;
    std::string members;
    std::function<std::vector<Sample>(const Answers&)> samples;
};

// A member is named by its JSON pointer within the whole result, or within one gateway's object.
// Booleans are 0 and 1, an array is its length.
[[nodiscard]] MetricSource of_node(std::string member);
[[nodiscard]] MetricSource of_gateways(const std::string& member);
// The same in ms.
[[nodiscard]] MetricSource seconds_of_gateways(const std::string& member);
// The number of an epoch "7.2", without the node that claimed it.
[[nodiscard]] MetricSource epoch_of_gateways(const std::string& member);

// For each voter, and each id of that list, whether it is in the list.
[[nodiscard]] MetricSource nodes_of_gateways(const std::string& member);

// One sample for each state: 1 for the current one, 0 for the others.
struct States {
    std::string label;
    std::string member;
    std::vector<std::string> states;
};
[[nodiscard]] MetricSource states_of_gateways(const States& states);

// Several members as one metric with a label.
struct Split {
    std::string label;
    std::vector<std::pair<std::string, std::string>> values_and_members;
};
[[nodiscard]] MetricSource split_of_node(Split split);
[[nodiscard]] MetricSource split_of_gateways(Split split);

// Bounds, counts and sum of a histogram; the last count has those beyond all bounds.
struct HistogramAt {
    std::string bounds_ms;
    std::string counts;
    std::string sum_ms;
};
[[nodiscard]] MetricSource histogram_of_gateways(const HistogramAt& places);

// Sources with a special shape.
[[nodiscard]] MetricSource pppds(double (*read)(const PppdUse& use));
[[nodiscard]] MetricSource dead_services();
[[nodiscard]] MetricSource build_info();
[[nodiscard]] MetricSource incompatible_members();
[[nodiscard]] MetricSource differences();
[[nodiscard]] MetricSource promoted_known();
[[nodiscard]] MetricSource takeover_phases();
[[nodiscard]] MetricSource votes();
[[nodiscard]] MetricSource session_states();
[[nodiscard]] MetricSource link_states();
[[nodiscard]] MetricSource gate_states();
[[nodiscard]] MetricSource gate_seconds();
[[nodiscard]] MetricSource gate_devices();
[[nodiscard]] MetricSource gate_barred();
[[nodiscard]] MetricSource gate_drops();
[[nodiscard]] MetricSource gate_moved();

}  // namespace vpnha::cli
