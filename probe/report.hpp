// SPDX-License-Identifier: GPL-2.0-or-later
// The result of a probe, as a monitoring plugin reports it: a status, which is the exit code as
// well, and one line with performance data. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe {

struct Step {
    std::string name;  // Of perfdata: "sccrq".
    Duration took{};
};

struct Outcome {
    std::vector<Step> steps;     // Those that were answered.
    std::optional<Error> error;  // Why not all of them were.

    [[nodiscard]] Duration took() const;
};

// For the total time of all steps.
struct Thresholds {
    std::optional<Duration> warning;
    std::optional<Duration> critical;
    Duration timeout{};
};

// The exit codes of monitoring plugins.
enum class Status { ok = 0, warning = 1, critical = 2, unknown = 3 };

[[nodiscard]] std::string_view to_string(Status status);

struct Report {
    std::string protocol;
    std::string host;
    Outcome outcome;
    Thresholds thresholds;

    // Unknown: the probe could not ask.
    [[nodiscard]] Status status() const;
    // "L2TP OK: 192.0.2.100 has answered after 1.8 ms | time=0.001800s;;;0;5 …"
    [[nodiscard]] std::string line() const;
    // An object with the same.
    [[nodiscard]] std::string json() const;

  private:
    [[nodiscard]] std::string text() const;
};

}  // namespace vpnha::probe
