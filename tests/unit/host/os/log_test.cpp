// SPDX-License-Identifier: GPL-2.0-or-later
// The log of a process whose file blocks, or that crashes.
#include "host/os/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "host/os/log_writer.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace log_test {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Clock = std::chrono::steady_clock;

// More than a pipe takes, and less than may wait.
constexpr int kLines = 3000;
const std::string kText(100, 'x');
constexpr int kPatienceMs = 10'000;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return lines;
}

class LogTest : public ::testing::Test {
  protected:
    void TearDown() override {
        close_log();
        ::unlink(path_.c_str());
    }
    // How a process ends that logs to path_, and does that.
    [[nodiscard]] int status_of_child(const std::function<void()>& work) const {
        const pid_t child = ::fork();
        EXPECT_GE(child, 0);
        if (child == 0) {
            if (!open_log("info", path_)) {
                ::_exit(1);
            }
            write_log_at_a_crash();
            work();
            ::_exit(0);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status;
    }
    // A file that takes as much as a pipe does, and then blocks whoever writes.
    void open_pipe() {
        ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
        reader_.reset(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        ASSERT_TRUE(open_log("info", path_).has_value());
    }
    // Until a line ends so.
    std::vector<std::string> read_until(const std::string& last) {
        std::string text;
        std::array<char, 65536> block{};
        while (!text.ends_with(last + "\n")) {
            pollfd wait{reader_.get(), POLLIN, 0};
            const ssize_t count = ::poll(&wait, 1, kPatienceMs) == 1
                                      ? ::read(reader_.get(), block.data(), block.size())
                                      : 0;
            if (count <= 0) {
                break;
            }
            text.append(block.data(), static_cast<std::size_t>(count));
        }
        return lines_of(text);
    }
    std::vector<std::string> contents() const {
        std::ifstream file(path_);
        return lines_of({std::istreambuf_iterator<char>(file), {}});
    }

    std::string path_ = temporary_path("log");
    UniqueFd reader_;
};

TEST_F(LogTest, AFileThatBlocksDelaysNobodyAndLosesNothingWithinTheBound) {
    open_pipe();
    const std::uint64_t dropped = log_lines_dropped();
    const auto begun = Clock::now();
    for (int i = 0; i < kLines; ++i) {
        write_log(LogLevel::info, fmt::format("{} {}", kText, i));
    }
    EXPECT_LT(Clock::now() - begun, std::chrono::seconds(2));
    EXPECT_EQ(log_lines_dropped(), dropped);
    const std::vector<std::string> lines = read_until(fmt::format("{} {}", kText, kLines - 1));
    ASSERT_THAT(lines, SizeIs(kLines));
    for (int i = 0; i < kLines; ++i) {
        EXPECT_THAT(lines[static_cast<std::size_t>(i)], EndsWith(fmt::format(" {}", i)));
    }
}

TEST_F(LogTest, WhatDoesNotFitIsDroppedCountedAndReportedInItsPlace) {
    open_pipe();
    const std::uint64_t before = log_lines_dropped();
    const std::size_t too_many = 3 * limits::kLogWaitingBytesMax / kText.size();
    for (std::size_t i = 0; i < too_many; ++i) {
        write_log(LogLevel::info, kText);
    }
    const std::uint64_t dropped = log_lines_dropped() - before;
    EXPECT_GT(dropped, too_many / 4);
    const std::vector<std::string> lines =
        read_until(fmt::format("event=log-dropped count={}", dropped));
    ASSERT_THAT(lines, SizeIs(too_many - dropped + 1));
    EXPECT_THAT(lines.back(),
                AllOf(HasSubstr("warning: "), HasSubstr(fmt::format("{} were dropped", dropped))));
    write_log(LogLevel::info, "as before");
    EXPECT_THAT(read_until("as before"), SizeIs(1));
    const std::vector<Event> events = events_after(0);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().word, "log-dropped");
}

TEST_F(LogTest, TheEndWaitsForItsLinesButNotForAFileThatBlocks) {
    ASSERT_TRUE(open_log("info", path_).has_value());
    for (int i = 0; i < kLines; ++i) {
        write_log(LogLevel::info, kText);
    }
    close_log();
    EXPECT_THAT(contents(), SizeIs(kLines));
    ::unlink(path_.c_str());
    open_pipe();
    for (int i = 0; i < kLines; ++i) {
        write_log(LogLevel::info, kText);
    }
    const auto begun = Clock::now();
    close_log();
    EXPECT_LT(Clock::now() - begun, limits::kLogEndPatience + std::chrono::seconds(1));
}

TEST_F(LogTest, ACrashWaitsForTheLastLines) {
    const int status = status_of_child([] {
        for (int i = 0; i < kLines; ++i) {
            write_log(LogLevel::info, kText);
        }
        write_log(LogLevel::error, "the last words");
        std::abort();
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    const std::vector<std::string> lines = contents();
    ASSERT_THAT(lines, SizeIs(kLines + 1));
    EXPECT_THAT(lines.back(), EndsWith("error: the last words"));
}

// As systemd does when the watchdog is not fed.
TEST_F(LogTest, ACrashSignalThatSomebodySendsEndsTheProcess) {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        struct sigaction before {};
        ASSERT_EQ(::sigaction(signal, nullptr, &before), 0);
        if (before.sa_handler != SIG_DFL) {
            continue;  // A sanitizer's.
        }
        const int status = status_of_child([signal] { ::kill(::getpid(), signal); });
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << signal;
    }
}

TEST_F(LogTest, WithoutAFileNothingIsWrittenAndNothingFails) {
    write_log(LogLevel::error, "to nobody");
    ASSERT_TRUE(open_log("info", path_).has_value());
    close_log();
    EXPECT_THAT(contents(), IsEmpty());
}

}  // namespace log_test
}  // namespace vpnha::adapters
