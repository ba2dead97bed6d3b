// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/exposition.hpp"

#include <fmt/format.h>

namespace vpnha::cli {

namespace {

// Of HELP and of label values; the quotes of a HELP are not escaped.
std::string escaped(std::string_view text, bool is_quoted) {
    std::string safe;
    for (const char c : text) {
        if (c == '\n') {
            safe += "\\n";
        } else if (c == '\\' || (c == '"' && is_quoted)) {
            safe += {'\\', c};
        } else {
            safe += c;
        }
    }
    return safe;
}

}  // namespace

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::gauge:
            return "gauge";
        case MetricType::counter:
            return "counter";
        case MetricType::histogram:
            return "histogram";
    }
    return "untyped";
}

std::string exposition(std::string_view name, MetricType type, std::string_view help,
                       const std::vector<Sample>& samples) {
    if (samples.empty()) {
        return {};
    }
    std::string text = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, escaped(help, false),
                                   to_string(type));
    for (const Sample& sample : samples) {
        std::string labels;
        for (const auto& [label, value] : sample.labels) {
            labels +=
                fmt::format("{}{}=\"{}\"", labels.empty() ? "{" : ",", label, escaped(value, true));
        }
        text += fmt::format("{}{}{}{} {}\n", name, sample.suffix, labels, labels.empty() ? "" : "}",
                            sample.value);
    }
    return text;
}

}  // namespace vpnha::cli
