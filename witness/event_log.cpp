// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/event_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "host/os/utc.hpp"

namespace vpnha::witness {

namespace {

const char* word_of(Level level) {
    switch (level) {
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            break;
    }
    return "error";
}

std::string line_of(Level level, const std::string& text) {
    return fmt::format("{} vpnha-witness[{}]: {}: {}\n", adapters::utc_us(adapters::unix_us_now()),
                       ::getpid(), word_of(level), text);
}

std::string dropped(std::uint64_t count) {
    return line_of(Level::warning, fmt::format("{} lines were not written event=log-dropped "
                                               "count={}",
                                               count, count));
}

}  // namespace

Result<std::unique_ptr<EventLog>> EventLog::open(TimePoint now) {
    adapters::UniqueFd to(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!to) {
        return tl::unexpected(system_error("opening stderr", errno));
    }
    VPNHA_TRY(auto writer, adapters::LogWriter::start(std::move(to), dropped));
    return std::unique_ptr<EventLog>(new EventLog(std::move(writer), now));
}

void EventLog::write(Level level, const std::string& text, TimePoint now) {
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now - filled_at_).count();
    if (passed > 0) {
        allowed_ = std::min(kLinesAtOnce, allowed_ + static_cast<std::uint64_t>(passed));
        filled_at_ = now;
    }
    if (allowed_ == 0) {
        ++left_out_;
        return;
    }
    --allowed_;
    if (const std::uint64_t count = std::exchange(left_out_, 0); count > 0) {
        writer_->put(dropped(count));
    }
    writer_->put(line_of(level, text));
}

}  // namespace vpnha::witness
