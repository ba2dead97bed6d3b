// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/log_writer.hpp"

#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/limits.hpp"
#include "host/os/thread.hpp"

namespace vpnha::adapters {

namespace {

void write_whole(int fd, const std::string& line) {
    std::size_t written = 0;
    while (written < line.size()) {
        const ssize_t count = ::write(fd, line.data() + written, line.size() - written);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return;  // A full disk must not stop a gateway: lines that cannot be written are lost.
        }
        written += static_cast<std::size_t>(count);
    }
}

}  // namespace

struct LogWriter::Shared {
    UniqueFd to;
    Report report;
    std::mutex mutex;  // Protects the members down to `ended`; not held while a line is written.
    std::condition_variable changed;
    std::deque<std::string> lines;
    std::size_t bytes = 0;
    std::uint64_t unreported = 0;
    bool ending = false;
    bool ended = false;
    std::atomic<std::uint64_t> waiting{0};  // Lines that are not written yet.
    std::atomic<std::uint64_t> dropped{0};
    std::thread thread;
};

Result<std::unique_ptr<LogWriter>> LogWriter::start(UniqueFd to, Report report) {
    auto shared = std::make_shared<Shared>();
    shared->to = std::move(to);
    shared->report = std::move(report);
    VPNHA_TRY(shared->thread, start_thread([shared] { work(shared); }));
    return std::unique_ptr<LogWriter>(new LogWriter(std::move(shared)));
}

LogWriter::~LogWriter() {
    bool ended = false;
    {
        std::unique_lock lock(shared_->mutex);
        shared_->ending = true;
        shared_->changed.notify_all();
        ended = shared_->changed.wait_for(lock, limits::kLogEndPatience,
                                          [this] { return shared_->ended; });
    }
    if (ended) {
        shared_->thread.join();
    } else {
        shared_->thread.detach();
    }
}

void LogWriter::put(std::string line) {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->bytes + line.size() > limits::kLogWaitingBytesMax) {
            ++shared_->unreported;
            ++shared_->dropped;
            return;
        }
        shared_->bytes += line.size();
        shared_->lines.push_back(std::move(line));
        ++shared_->waiting;
    }
    shared_->changed.notify_all();
}

bool LogWriter::wait_until_written(Duration at_most) const {
    constexpr Duration kLook = std::chrono::milliseconds(1);
    for (Duration waited{}; shared_->waiting.load() != 0; waited += kLook) {
        if (waited >= at_most) {
            return false;
        }
        const timespec pause{0, std::chrono::nanoseconds(kLook).count()};
        ::nanosleep(&pause, nullptr);
    }
    return true;
}

std::uint64_t LogWriter::dropped() const {
    return shared_->dropped.load();
}

void LogWriter::work(const std::shared_ptr<Shared>& shared) {
    become_background();
    std::unique_lock lock(shared->mutex);
    while (true) {
        shared->changed.wait(lock, [&] { return shared->ending || !shared->lines.empty(); });
        if (shared->lines.empty()) {
            break;
        }
        const std::deque<std::string> lines = std::exchange(shared->lines, {});
        // Lines are dropped while there is no room, so after all of these.
        const std::uint64_t dropped = std::exchange(shared->unreported, 0);
        shared->bytes = 0;
        lock.unlock();
        for (const std::string& line : lines) {
            write_whole(shared->to.get(), line);
        }
        if (dropped != 0) {
            write_whole(shared->to.get(), shared->report(dropped));
        }
        shared->waiting -= lines.size();
        lock.lock();
    }
    shared->ended = true;
    shared->changed.notify_all();
}

}  // namespace vpnha::adapters
