// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/program_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "host/os/process.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

using Clock = std::chrono::steady_clock;

// Until it is closed.
Result<std::string> read_all(int fd, Clock::time_point deadline) {
    std::string text;
    std::array<char, 16384> buffer{};
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
        if (ready == 0) {
            return fail(Errc::timeout, "it does not answer in time");
        }
        const ssize_t count = ready > 0 ? ::read(fd, buffer.data(), buffer.size()) : -1;
        if (count == 0) {
            return text;
        }
        if (count < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading its answer", errno));
        }
        text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
}

}  // namespace

Result<Printed> printed_by(const std::vector<std::string>& arguments,
                           std::chrono::milliseconds timeout, ErrorOutput errors) {
    const Clock::time_point deadline = Clock::now() + timeout;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(system_error("pipe", errno));
    }
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    const std::vector<char*> argv = pointers_to(arguments);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    if (errors == ErrorOutput::dropped) {
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return tl::unexpected(system_error("starting it", error));
    }
    writing = UniqueFd();
    Result<std::string> text = read_all(reading.get(), deadline);
    if (!text) {
        ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    VPNHA_TRY(std::string printed, std::move(text));
    return Printed{.text = std::move(printed),
                   .code = WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

Result<std::string> output_of(const std::vector<std::string>& arguments,
                              std::chrono::milliseconds timeout, ErrorOutput errors) {
    VPNHA_TRY(Printed printed, printed_by(arguments, timeout, errors));
    if (printed.code != 0) {
        return fail(Errc::system, fmt::format("it ended with exit code {}", printed.code));
    }
    return std::move(printed.text);
}

}  // namespace vpnha::adapters
