// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace vpnha::probe {

namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char each) {
        return static_cast<char>(std::toupper(each));
    });
    return text;
}

std::string seconds(std::optional<Duration> time) {
    return time ? fmt::format("{:g}", Seconds(*time).count()) : "";
}

// Performance data follows a bar, and a new line would be another report.
std::string in_one_line(std::string text) {
    std::ranges::replace_if(
        text, [](char each) { return each == '|' || each == '\n' || each == '\r'; }, ' ');
    return text;
}

}  // namespace

Duration Outcome::took() const {
    Duration all{};
    for (const Step& step : steps) {
        all += step.took;
    }
    return all;
}

std::string_view to_string(Status status) {
    switch (status) {
        case Status::ok:
            return "ok";
        case Status::warning:
            return "warning";
        case Status::critical:
            return "critical";
        case Status::unknown:
            break;
    }
    return "unknown";
}

Status Report::status() const {
    if (outcome.error) {
        const bool is_answer = outcome.error->code == Errc::unreachable ||
                               outcome.error->code == Errc::timeout ||
                               outcome.error->code == Errc::malformed;
        return is_answer ? Status::critical : Status::unknown;
    }
    const Duration took = outcome.took();
    if (thresholds.critical && took >= *thresholds.critical) {
        return Status::critical;
    }
    return thresholds.warning && took >= *thresholds.warning ? Status::warning : Status::ok;
}

std::string Report::text() const {
    if (outcome.error) {
        return in_one_line(fmt::format("{}: {}", host, outcome.error->detail));
    }
    return in_one_line(
        fmt::format("{} has answered after {:.1f} ms", host, Milliseconds(outcome.took()).count()));
}

std::string Report::line() const {
    std::string line =
        fmt::format("{} {}: {}", upper(protocol), upper(std::string(to_string(status()))), text());
    if (outcome.steps.empty()) {
        return line;
    }
    line += fmt::format(" | time={:.6f}s;{};{};0;{}", Seconds(outcome.took()).count(),
                        seconds(thresholds.warning), seconds(thresholds.critical),
                        seconds(thresholds.timeout));
    for (const Step& step : outcome.steps) {
        line += fmt::format(" {}={:.6f}s", step.name, Seconds(step.took).count());
    }
    return line;
}

std::string Report::json() const {
    nlohmann::ordered_json steps = nlohmann::ordered_json::array();
    for (const Step& step : outcome.steps) {
        steps.push_back({{"name", step.name}, {"seconds", Seconds(step.took).count()}});
    }
    const nlohmann::ordered_json object = {{"version", 1},
                                           {"protocol", protocol},
                                           {"host", host},
                                           {"status", to_string(status())},
                                           {"exit_code", static_cast<int>(status())},
                                           {"text", text()},
                                           {"seconds", Seconds(outcome.took()).count()},
                                           {"steps", steps}};
    return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace vpnha::probe
