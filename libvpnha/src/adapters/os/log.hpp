// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log, by libqb: one line an event on stderr or in a file,
//     2026-11-20T09:46:11.123456Z vpnhad[812]: info: now promoted event=promoted gateway=l2tp …
// UTC with microseconds, so that the logs of several nodes can be laid side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/os/event_ring.hpp"
#include "effects/effects.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Lines below `level` (error, warning, info, debug) are dropped. An empty `file` means stderr.
[[nodiscard]] Result<void> open_log(const std::string& level, const std::string& file);
void write_log(node::Level level, const std::string& text);
void close_log();
// As each line has them: "info"; "2026-11-20T09:46:11.123456Z".
[[nodiscard]] const char* level_word(node::Level level);
[[nodiscard]] std::string utc_us(std::uint64_t unix_us);
// What was written with `event=` in it, whatever the level below which lines are dropped, of this
// process's life: those behind that sequence number, the oldest first, so many at once.
[[nodiscard]] std::vector<Event> events_after(std::uint64_t sequence);

}  // namespace vpnha::adapters
