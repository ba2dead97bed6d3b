// SPDX-License-Identifier: GPL-2.0-or-later
// The last lines of the log with an event, for
// clients that ask vpnhad instead of reading its log:
//     now promoted event=promoted gateway=dialin epoch=4.1: why
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_level.hpp"

namespace vpnha::adapters {

struct Event {
    std::uint64_t sequence = 0;  // From 1, of one life of vpnhad.
    std::uint64_t unix_us = 0;
    LogLevel level = LogLevel::info;
    std::string word;                           // The name of the event.
    std::map<std::string, std::string> fields;  // The words NAME=VALUE after it.
    std::string text;                           // The whole line.
};

// nullopt: the line has no event. The caller sets sequence, time and level.
[[nodiscard]] std::optional<Event> parse_event(std::string_view line);

class EventRing {
  public:
    // Lines for debugging are not kept, nor those without an event.
    void note(LogLevel level, std::uint64_t unix_us, std::string_view line);
    // Those after `sequence`, the oldest first, at most limits::kEventsAnswered.
    [[nodiscard]] std::vector<Event> after(std::uint64_t sequence) const;

  private:
    std::deque<Event> events_;
    std::uint64_t last_ = 0;
};

}  // namespace vpnha::adapters
