// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha events`: the lines with `event=` in vpnhad's log since its start, and those that follow. A
// reader of --json gets each event once, also over restarts of vpnhad.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/switchover.hpp"

namespace vpnha::cli {

struct EventsOrder {
    std::string gateway{};  // Empty: also events without one.
    std::string event{};    // Empty: all kinds.
    std::string session{};  // An id; empty: all lines.
    bool follow = false;
    bool as_json = false;  // A line each.
};

// How far a reader has read.
struct EventsRead {
    std::string instance{};  // Of the vpnhad that numbers the events.
    std::uint64_t sequence = 0;
};
// Passes the events after `read` on. True: there may be more.
[[nodiscard]] Result<bool> read_events(EventsRead& read, const Ask& ask,
                                       const std::function<void(const nlohmann::json&)>& event);

// `ordered` is called while the command line is parsed.
void add_events(CLI::App& app, const std::function<void(const EventsOrder&)>& ordered);

// With `follow` it ends when `continues` returns false, or the output is closed.
[[nodiscard]] ExitCode show_events(
    const EventsOrder& order, const SwitchoverPorts& ports,
    const std::function<bool()>& continues = [] { return true; });

}  // namespace vpnha::cli
