// SPDX-License-Identifier: GPL-2.0-or-later
#include "ocf/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace vpnha::ocf {

namespace {

struct LevelName {
    std::string_view text;
    int priority;
};

LevelName level_name(Level level) {
    switch (level) {
        case Level::error:
            return {"ERROR", LOG_ERR};
        case Level::warning:
            return {"WARNING", LOG_WARNING};
        case Level::info:
            return {"INFO", LOG_INFO};
        case Level::debug:
            return {"DEBUG", LOG_DEBUG};
    }
    return {"ERROR", LOG_ERR};
}

int facility_of(std::string_view name) {
    struct Entry {
        std::string_view name;
        int value;
    };
    static constexpr std::array<Entry, 12> kFacilities{{
        {"auth", LOG_AUTH},
        {"cron", LOG_CRON},
        {"user", LOG_USER},
        {"local0", LOG_LOCAL0},
        {"local1", LOG_LOCAL1},
        {"local2", LOG_LOCAL2},
        {"local3", LOG_LOCAL3},
        {"local4", LOG_LOCAL4},
        {"local5", LOG_LOCAL5},
        {"local6", LOG_LOCAL6},
        {"local7", LOG_LOCAL7},
        {"daemon", LOG_DAEMON},
    }};
    for (const Entry& entry : kFacilities) {
        if (entry.name == name) {
            return entry.value;
        }
    }
    return LOG_DAEMON;
}

std::string date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%b %d %H:%M:%S ", &parts);
    return {text.data(), length};
}

// A log that cannot be written must not change what the agent does.
void append(int fd, const std::string& line) {
    [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
}

void append_file(const std::string& path, const std::string& line) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0) {
        append(fd, line);
        ::close(fd);
    }
}

}  // namespace

void write_log(const Call::Environment& environment, const std::string& tag, Level level,
               std::string_view text) {
    const auto [name, priority] = level_name(level);
    if (level == Level::debug && environment("HA_debug").value_or("0") == "0") {
        return;
    }
    if (::isatty(STDERR_FILENO) != 0) {
        append(STDERR_FILENO, fmt::format("{}: {}: {}\n", tag, name, text));
        return;
    }
    const std::string facility = environment("HA_LOGFACILITY").value_or("none");
    const std::string file = environment("HA_LOGFILE").value_or("");
    const std::string debug_file = environment("HA_DEBUGLOG").value_or("");
    const std::string line = fmt::format("{}{}[{}]: {}: {}\n", date(), tag, ::getpid(), name, text);
    if (facility != "none" && !facility.empty()) {
        ::openlog(tag.c_str(), LOG_PID, facility_of(facility));
        ::syslog(priority, "%.*s", static_cast<int>(text.size()), text.data());
        ::closelog();
    }
    if (!file.empty()) {
        append_file(file, line);
    }
    if (!debug_file.empty() && debug_file != file) {
        append_file(debug_file, line);
    }
}

}  // namespace vpnha::ocf
