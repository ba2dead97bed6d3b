// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log, by libqb: one line an event on stderr or in a file,
//     2026-11-20T09:46:11.123456Z vpnhad[812]: info: now promoted event=promoted gateway=l2tp …
// UTC with microseconds, so that the logs of several nodes can be compared side by side. A thread
// writes the lines (log_writer.hpp): a file that blocks delays no caller.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_level.hpp"
#include "host/os/event_ring.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Lines below `level` (error, warning, info, debug) are dropped. An empty `file` means stderr.
// Error: the file cannot be opened, or no thread is available.
[[nodiscard]] Result<void> open_log(const std::string& level, const std::string& file);
// syslog(3)'s.
[[nodiscard]] std::uint8_t priority_of(LogLevel level);
// Later lines are also written to `to`, until close_log(): each line in one write(2), as `encode`
// makes it. A burst of lines is cut off, and one line in its place has their number. To be called
// when the log is open. Error: no thread is available.
using LogEncoder = std::function<std::string(LogLevel level, std::string_view text)>;
[[nodiscard]] Result<void> copy_log(UniqueFd to, LogEncoder encode);
// From any thread; returns at once. Nothing is written while no log is open.
void write_log(LogLevel level, const std::string& text);
// A warning, "WHAT: why", if it is an error.
void log_failure(std::string_view what, const Result<void>& result);
// Lines that were not written because the file blocked for too long; in this process's life.
[[nodiscard]] std::uint64_t log_lines_dropped();
// From now on a crash (SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL) waits 100 ms at most for the lines
// that are not written yet.
void write_log_at_a_crash();
// Waits limits::kLogEndPatience at most for the lines that are not written yet.
void close_log();
// As in each line: "info".
[[nodiscard]] const char* level_word(LogLevel level);
// The lines with `event=` of this process's life, whatever the log level: those after that sequence
// number, the oldest first, a limited number at once.
[[nodiscard]] std::vector<Event> events_after(std::uint64_t sequence);

}  // namespace vpnha::adapters
