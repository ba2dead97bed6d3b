// SPDX-License-Identifier: GPL-2.0-or-later
// The result of a drill: the file of --json, and the input of pages and of the lines printed. Pure.
// Times are milliseconds since 1970.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/drill/kinds.hpp"
#include "cli/drill/silence.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::drill {

// Pings of one address, from one machine.
struct Watch {
    std::string address;
    std::string machine;
    double interval_ms = 0;
    std::vector<Probe> probes;
};

// An action or observation of a node.
struct Moment {
    double at_ms = 0;
    std::string node;
    std::string text;
};

// By their ids, which are the same on all nodes.
struct Sessions {
    std::uint64_t before = 0;
    std::uint64_t kept = 0;
    std::uint64_t lost = 0;
    std::uint64_t anew = 0;  // Dialled since the fault.
};

enum class Outcome {
    begun,   // The end is missing: the node that ran the drill died with it.
    failed,  // The fault could not be made.
    stayed,  // No node took over in time.
    moved,   // Another node serves.
};
[[nodiscard]] std::string_view to_string(Outcome outcome);

struct Record {
    Kind kind{};
    std::string gateway{};
    std::string node{};  // The node that ran it.
    std::string from{};  // The nodes that served before, and after.
    std::string to{};
    std::string fault{};
    Outcome outcome = Outcome::begun;
    Timers timers{};
    double begun_ms = 0;
    std::optional<double> struck_ms{};
    std::optional<double> noticed_ms{};
    std::optional<double> moved_ms{};
    std::optional<double> undone_ms{};
    std::optional<double> recovered_ms{};  // All is healthy again.
    std::string undo_trouble{};
    std::string output{};  // By the command that made the fault.
    std::optional<Sessions> sessions{};
    std::vector<std::string> notes{};
    std::vector<Moment> moments{};
    std::vector<Watch> watches{};

    [[nodiscard]] Ruled ruled() const;
    // Nothing needs a repair.
    [[nodiscard]] bool is_good() const;
};

[[nodiscard]] nlohmann::ordered_json to_json(const Watch& watch);
[[nodiscard]] nlohmann::ordered_json to_json(const Record& record);
// From a file of any origin. Error malformed: it is no record.
[[nodiscard]] Result<Record> parse_record(std::string_view text);
[[nodiscard]] Result<Watch> parse_watch(std::string_view text);

// The lines for a terminal.
[[nodiscard]] std::vector<std::string> summary(const Record& record);
// "345 ms", "1.23 s"
[[nodiscard]] std::string duration_text(double ms);

}  // namespace vpnha::cli::drill
