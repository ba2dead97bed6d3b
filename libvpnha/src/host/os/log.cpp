// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <qb/qblog.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/burst.hpp"
#include "base/time.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/log_writer.hpp"
#include "host/os/utc.hpp"

namespace vpnha::adapters {

namespace {

// For a copy: so many lines at once, and then one each interval. journald's own limit, by default,
// is 10 000 in 30 s, and it drops lines of the whole unit without a notice in their place.
constexpr int kCopiedAtOnce = 2000;
constexpr Duration kCopiedEach = std::chrono::milliseconds(10);

class Copy {
  public:
    Copy(std::unique_ptr<LogWriter> writer, LogEncoder encode)
        : writer_(std::move(writer)), encode_(std::move(encode)) {}

    void put(LogLevel level, std::string_view text) {
        const std::lock_guard lock(mutex_);
        if (!burst_.take(boot_time())) {
            ++withheld_;
            return;
        }
        if (const std::uint64_t withheld = std::exchange(withheld_, 0); withheld != 0) {
            writer_->put(encode_(
                LogLevel::warning,
                fmt::format("there was too much to log: {} lines are in the log's file alone "
                            "event=journal-limited count={}",
                            withheld, withheld)));
        }
        writer_->put(encode_(level, text));
    }

  private:
    std::mutex mutex_;
    std::unique_ptr<LogWriter> writer_;
    LogEncoder encode_;
    Burst burst_{kCopiedAtOnce, kCopiedEach};
    std::uint64_t withheld_ = 0;
};

struct Sink {
    std::mutex mutex;  // Protects the pointers.
    std::shared_ptr<LogWriter> writer;
    std::shared_ptr<Copy> copy;
    std::uint64_t dropped = 0;  // By earlier writers.
    int target = -1;
};

// libqb's log exists once per process, and so does this. Never destroyed: a writer's thread may
// still wait for its file when the process ends.
Sink& sink() {
    static Sink& only = *new Sink;
    return only;
}

std::shared_ptr<LogWriter> writer() {
    const std::lock_guard lock(sink().mutex);
    return sink().writer;
}

std::shared_ptr<Copy> copy() {
    const std::lock_guard lock(sink().mutex);
    return sink().copy;
}

// For the handler of a signal, which cannot take a lock.
std::atomic<const LogWriter*> written_at_a_crash{nullptr};

constexpr Duration kCrashPatience = std::chrono::milliseconds(100);

// Threads write, too.
struct Notified {
    std::mutex mutex;
    EventRing events;
};

Notified& notified() {
    static Notified& only = *new Notified;
    return only;
}

LogLevel level_of(std::uint8_t priority) {
    switch (priority) {
        case LOG_WARNING:
            return LogLevel::warning;
        case LOG_NOTICE:
        case LOG_INFO:
            return LogLevel::info;
        case LOG_DEBUG:
            return LogLevel::debug;
        default:
            return LogLevel::error;
    }
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

std::string line_of(std::uint64_t unix_us, const char* level, std::string_view text) {
    return fmt::format("{} vpnhad[{}]: {}: {}\n", utc_us(unix_us), getpid(), level, text);
}

void write_line(std::int32_t, qb_log_callsite* site, timespec* at, const char* message) {
    const auto us = static_cast<std::uint64_t>(at->tv_sec) * 1'000'000 +
                    static_cast<std::uint64_t>(at->tv_nsec) / 1000;
    if (const auto to = writer()) {
        to->put(line_of(us, name_of(site->priority), message));
    }
    if (const auto to = copy()) {
        to->put(level_of(site->priority), message);
    }
}

void note_event(LogLevel level, std::uint64_t unix_us, std::string_view text) {
    const std::lock_guard lock(notified().mutex);
    notified().events.note(level, unix_us, text);
}

std::string dropped_text(std::uint64_t count) {
    return fmt::format(
        "the log's file took no lines for a while: {} were dropped event=log-dropped count={}",
        count, count);
}

std::string report_dropped(std::uint64_t count) {
    const std::string text = dropped_text(count);
    const std::uint64_t us = unix_us_now();
    note_event(LogLevel::warning, us, text);
    return line_of(us, name_of(LOG_WARNING), text);
}

void on_crash(int signal) {
    // The writer's thread works meanwhile.
    if (const LogWriter* const to = written_at_a_crash.load()) {
        static_cast<void>(to->wait_until_written(kCrashPatience));
    }
    // SA_RESETHAND has restored the default action, which follows at the return. A signal that
    // another process sent, such as systemd's at a watchdog's end, would not come again by itself.
    ::raise(signal);
}

}  // namespace

std::uint8_t priority_of(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return LOG_ERR;
        case LogLevel::warning:
            return LOG_WARNING;
        case LogLevel::info:
            return LOG_INFO;
        case LogLevel::debug:
            return LOG_DEBUG;
    }
    return LOG_ERR;
}

Result<void> open_log(const std::string& level, const std::string& file) {
    std::uint8_t lowest = LOG_INFO;
    for (const std::uint8_t priority :
         std::array<std::uint8_t, 4>{LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG}) {
        if (level == name_of(priority)) {
            lowest = priority;
        }
    }
    UniqueFd to(
        file.empty()
            ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
            : ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!to) {
        return tl::unexpected(system_error("open log " + file, errno));
    }
    VPNHA_TRY(auto started, LogWriter::start(std::move(to), report_dropped));
    {
        const std::lock_guard lock(sink().mutex);
        sink().writer = std::move(started);
        written_at_a_crash = sink().writer.get();
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

Result<void> copy_log(UniqueFd to, LogEncoder encode) {
    VPNHA_TRY(auto writer, LogWriter::start(std::move(to), [encode](std::uint64_t dropped) {
                  return encode(LogLevel::warning, dropped_text(dropped));
              }));
    const std::lock_guard lock(sink().mutex);
    sink().copy = std::make_shared<Copy>(std::move(writer), std::move(encode));
    return {};
}

void write_log(LogLevel level, const std::string& text) {
    note_event(level, unix_us_now(), text);
    qb_log_from_external_source("vpnhad", "vpnhad", "%s", priority_of(level), 0, 0, text.c_str());
}

std::vector<Event> events_after(std::uint64_t sequence) {
    const std::lock_guard lock(notified().mutex);
    return notified().events.after(sequence);
}

const char* level_word(LogLevel level) {
    return name_of(priority_of(level));
}

void log_failure(std::string_view what, const Result<void>& result) {
    if (!result) {
        write_log(LogLevel::warning, fmt::format("{}: {}", what, result.error().detail));
    }
}

std::uint64_t log_lines_dropped() {
    const std::lock_guard lock(sink().mutex);
    return sink().dropped + (sink().writer ? sink().writer->dropped() : 0);
}

void write_log_at_a_crash() {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        struct sigaction before {};
        struct sigaction wanted {};
        wanted.sa_handler = on_crash;
        wanted.sa_flags = static_cast<int>(SA_RESETHAND);
        // A sanitizer has its own handlers.
        if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
            ::sigaction(signal, &wanted, nullptr);
        }
    }
}

void close_log() {
    qb_log_fini();
    written_at_a_crash = nullptr;
    std::shared_ptr<LogWriter> ended;
    std::shared_ptr<Copy> copied;
    {
        const std::lock_guard lock(sink().mutex);
        ended = std::move(sink().writer);
        copied = std::move(sink().copy);
        sink().dropped += ended ? ended->dropped() : 0;
    }
}

}  // namespace vpnha::adapters
