// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/os/log.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <qb/qblog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <mutex>

#include "adapters/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

struct Sink {
    UniqueFd file;
    int target = -1;
};

// libqb's log is one for the process, and so is this.
Sink& sink() {
    static Sink only;
    return only;
}

// Threads write, too.
struct Told {
    std::mutex mutex;
    EventRing events;
};

Told& told() {
    static Told only;
    return only;
}

std::uint8_t priority_of(node::Level level) {
    switch (level) {
        case node::Level::error:
            return LOG_ERR;
        case node::Level::warning:
            return LOG_WARNING;
        case node::Level::info:
            return LOG_INFO;
        case node::Level::debug:
            return LOG_DEBUG;
    }
    return LOG_ERR;
}

const char* name_of(std::uint8_t priority) {
    switch (priority) {
        case LOG_WARNING:
            return "warning";
        case LOG_NOTICE:
        case LOG_INFO:
            return "info";
        case LOG_DEBUG:
            return "debug";
        default:
            return "error";
    }
}

void write_line(std::int32_t, qb_log_callsite* site, timespec* at, const char* message) {
    const auto us = static_cast<std::uint64_t>(at->tv_sec) * 1'000'000 +
                    static_cast<std::uint64_t>(at->tv_nsec) / 1000;
    const std::string line = fmt::format("{} vpnhad[{}]: {}: {}\n", utc_us(us), getpid(),
                                         name_of(site->priority), message);
    const int fd = sink().file ? sink().file.get() : STDERR_FILENO;
    // A full disk must not stop a gateway: what cannot be written is lost.
    if (write(fd, line.data(), line.size()) < 0) {
        return;
    }
}

}  // namespace

Result<void> open_log(const std::string& level, const std::string& file) {
    std::uint8_t lowest = LOG_INFO;
    for (const std::uint8_t priority :
         std::array<std::uint8_t, 4>{LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG}) {
        if (level == name_of(priority)) {
            lowest = priority;
        }
    }
    if (!file.empty()) {
        sink().file.reset(
            ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
        if (!sink().file) {
            return tl::unexpected(system_error("open log " + file, errno));
        }
    }
    qb_log_init("vpnhad", LOG_DAEMON, LOG_ERR);
    qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
    sink().target = qb_log_custom_open(write_line, nullptr, nullptr, nullptr);
    qb_log_filter_ctl(sink().target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", lowest);
    qb_log_format_set(sink().target, "%b");
    qb_log_ctl(sink().target, QB_LOG_CONF_MAX_LINE_LEN, 2048);
    qb_log_ctl(sink().target, QB_LOG_CONF_ENABLED, QB_TRUE);
    return {};
}

void write_log(node::Level level, const std::string& text) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    {
        const std::lock_guard lock(told().mutex);
        told().events.note(level, static_cast<std::uint64_t>(us), text);
    }
    qb_log_from_external_source("vpnhad", "vpnhad", "%s", priority_of(level), 0, 0, text.c_str());
}

std::vector<Event> events_after(std::uint64_t sequence) {
    const std::lock_guard lock(told().mutex);
    return told().events.after(sequence);
}

const char* level_word(node::Level level) {
    return name_of(priority_of(level));
}

std::string utc_us(std::uint64_t unix_us) {
    const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
    tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, unix_us % 1'000'000);
}

void close_log() {
    qb_log_fini();
    sink().file.reset();
}

}  // namespace vpnha::adapters
