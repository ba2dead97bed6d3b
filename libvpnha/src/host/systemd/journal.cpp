// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/journal.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "host/os/event_ring.hpp"
#include "host/os/log.hpp"
#include "host/os/unix_socket.hpp"

namespace vpnha::adapters {

namespace {

// Not used for the ids of anything else.
constexpr std::string_view kEventPurpose = "vpnha event ";
// Fields of a line, and of its entry.
constexpr std::array<std::pair<const char*, std::string_view>, 2> kOwnFields{
    {{"gateway", "GATEWAY"}, {"session", "SESSION"}}};

void add_field(std::string& entry, std::string_view name, std::string_view value) {
    if (value.find('\n') == std::string_view::npos) {
        entry += fmt::format("{}={}\n", name, value);
        return;
    }
    entry += fmt::format("{}\n", name);
    for (std::uint64_t length = value.size(), octet = 0; octet < sizeof length; ++octet) {
        entry += static_cast<char>(length >> (8 * octet) & 0xff);
    }
    entry += fmt::format("{}\n", value);
}

}  // namespace

std::string message_id(std::string_view word) {
    const std::string hashed = fmt::format("{}{}", kEventPurpose, word);
    std::array<std::uint8_t, 16> octets{};
    crypto_generichash(octets.data(), octets.size(),
                       reinterpret_cast<const std::uint8_t*>(hashed.data()), hashed.size(), nullptr,
                       0);
    return fmt::format("{:02x}", fmt::join(octets, ""));
}

std::string journal_entry(LogLevel level, std::string_view line) {
    std::string entry;
    add_field(entry, "MESSAGE", line);
    add_field(entry, "PRIORITY", std::to_string(priority_of(level)));
    add_field(entry, "SYSLOG_IDENTIFIER", "vpnhad");
    const std::optional<Event> event = parse_event(line);
    if (!event) {
        return entry;
    }
    add_field(entry, "EVENT", event->word);
    add_field(entry, "MESSAGE_ID", message_id(event->word));
    for (const auto& [field, name] : kOwnFields) {
        if (const auto found = event->fields.find(field); found != event->fields.end()) {
            add_field(entry, name, found->second);
        }
    }
    return entry;
}

Result<void> log_to_journal(const std::string& socket) {
    VPNHA_TRY(const sockaddr_un address, unix_address(socket));
    UniqueFd to(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!to ||
        ::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(system_error("connecting to " + socket, errno));
    }
    return copy_log(std::move(to), journal_entry);
}

}  // namespace vpnha::adapters
