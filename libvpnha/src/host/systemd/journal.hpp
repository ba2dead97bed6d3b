// SPDX-License-Identifier: GPL-2.0-or-later
// The log in systemd's journal, with fields: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER. A line with
// `event=` also has EVENT and MESSAGE_ID, and GATEWAY and SESSION if they are in the line.
// `journalctl -x` explains each MESSAGE_ID by daemon/vpnha.catalog, which is made from vpnhad(8).
//
// Without libsystemd: an entry is one datagram of a documented, frozen format
// (systemd.io/JOURNAL_NATIVE_PROTOCOL). The library would be one more dependency of vpnhad. Its
// socket is hidden and cannot be replaced in a test. It sends in the caller's thread, where a
// journald that hangs would delay a lease.
#pragma once

#include <string>
#include <string_view>

#include "base/log_level.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// One entry in the socket's format.
[[nodiscard]] std::string journal_entry(LogLevel level, std::string_view line);
// For an event's word, the same for ever: 32 hexadecimal digits of a hash.
[[nodiscard]] std::string message_id(std::string_view word);
// Later log lines also go to the journal. To be called when the log is open.
[[nodiscard]] Result<void> log_to_journal(const std::string& socket = kJournalSocket);

}  // namespace vpnha::adapters
