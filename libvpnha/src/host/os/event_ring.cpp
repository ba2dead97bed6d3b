// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/event_ring.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::string_view kMark{"event\x3d"};  // With its equals sign.

// The start of the word; npos: there is none.
std::size_t find_event(std::string_view line) {
    for (std::size_t at = line.find(kMark); at != std::string_view::npos;
         at = line.find(kMark, at + 1)) {
        if (at == 0 || line[at - 1] == ' ') {
            return at + kMark.size();
        }
    }
    return std::string_view::npos;
}

}  // namespace

std::optional<Event> parse_event(std::string_view line) {
    const std::size_t begin = find_event(line);
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view rest = line.substr(begin);
    Event event;
    event.word = rest.substr(0, rest.find_first_of(" :,"));
    event.text = line;
    rest.remove_prefix(event.word.size());
    // A colon ends the fields; free text with the reason follows.
    while (rest.starts_with(' ')) {
        rest.remove_prefix(1);
        std::string_view field = rest.substr(0, rest.find(' '));
        rest.remove_prefix(field.size());
        const std::size_t equals = field.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
            break;
        }
        const bool is_last = field.ends_with(':');
        field.remove_suffix(is_last ? 1 : 0);
        event.fields.emplace(field.substr(0, equals), field.substr(equals + 1));
        if (is_last) {
            break;
        }
    }
    return event;
}

void EventRing::note(LogLevel level, std::uint64_t unix_us, std::string_view line) {
    if (level == LogLevel::debug) {
        return;
    }
    std::optional<Event> event = parse_event(line);
    if (!event) {
        return;
    }
    event->sequence = ++last_;
    event->unix_us = unix_us;
    event->level = level;
    events_.push_back(std::move(*event));
    if (events_.size() > limits::kEventsKept) {
        events_.pop_front();
    }
}

std::vector<Event> EventRing::after(std::uint64_t sequence) const {
    const auto first = std::ranges::upper_bound(events_, sequence, {}, &Event::sequence);
    const auto count = std::min<std::ptrdiff_t>(events_.end() - first, limits::kEventsAnswered);
    return {first, first + count};
}

}  // namespace vpnha::adapters
