// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha events`: what vpnhad's log said with `event=` in it, of this life of vpnhad, and what it
// says from now on. A reader of --json gets each event once, also over restarts of vpnhad.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/switchover.hpp"

namespace vpnha::cli {

struct EventsOrder {
    std::string gateway{};  // Empty: also those of none.
    std::string event{};    // Empty: all words.
    std::string session{};  // An id; empty: all lines.
    bool follow = false;
    bool as_json = false;  // A line each.
};

// As far as a reader has read.
struct EventsRead {
    std::string instance{};  // Of the vpnhad that counts.
    std::uint64_t sequence = 0;
};
// Hands over the events behind `read`. True: there may be more.
[[nodiscard]] Result<bool> read_events(EventsRead& read, const Ask& ask,
                                       const std::function<void(const nlohmann::json&)>& event);

// `ordered` is called while the command line is parsed.
void add_events(CLI::App& app, const std::function<void(const EventsOrder&)>& ordered);

// With `follow` it ends when `goes_on` says so, or nobody reads any more.
[[nodiscard]] ExitCode show_events(
    const EventsOrder& order, const SwitchoverPorts& ports,
    const std::function<bool()>& goes_on = [] { return true; });

}  // namespace vpnha::cli
