// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pacemaker/cib.hpp"

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

#include "adapters/os/process.hpp"
#include "adapters/os/unique_fd.hpp"

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

Result<std::string> output_of(const std::vector<std::string>& arguments, Clock::time_point deadline,
                              ErrorOutput errors) {
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
    if (text && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        return fail(Errc::system, fmt::format("it ended with exit code {}",
                                              WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    }
    return text;
}

}  // namespace

std::vector<std::string_view> elements_of(std::string_view xml) {
    std::vector<std::string_view> elements;
    for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        elements.push_back(xml.substr(at, std::min(xml.find('>', at), xml.size()) - at));
    }
    return elements;
}

std::string attribute(std::string_view element, std::string_view name) {
    const std::string start = fmt::format(" {}=\"", name);
    const std::size_t found = element.find(start);
    if (found == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = element.substr(found + start.size());
    return std::string(rest.substr(0, rest.find('"')));
}

Result<std::string> query_cib(const std::string& cibadmin, const std::string& scope,
                              std::chrono::milliseconds timeout, ErrorOutput errors) {
    Result<std::string> xml = output_of({cibadmin, "--query", "--local", "--scope", scope},
                                        Clock::now() + timeout, errors);
    if (xml && xml->find(fmt::format("<{}", scope)) == std::string::npos) {
        return fail(Errc::malformed, "not a CIB");
    }
    return xml;
}

}  // namespace vpnha::adapters
