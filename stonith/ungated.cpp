// SPDX-License-Identifier: GPL-2.0-or-later
#include "ungated.hpp"

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

#include "adapters/unique_fd.hpp"

namespace vpnha::stonith {

namespace {

using adapters::UniqueFd;
using Clock = std::chrono::steady_clock;

std::string attribute(std::string_view element, std::string_view name) {
    const std::string start = fmt::format(" {}=\"", name);
    const std::size_t found = element.find(start);
    if (found == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = element.substr(found + start.size());
    return std::string(rest.substr(0, rest.find('"')));
}

bool is_gated(std::string_view element) {
    const std::string kind = attribute(element, "class");
    return kind == "stonith" || (kind == "ocf" && attribute(element, "provider") == "vpnha") ||
           // Its template says what it is, and is looked at, too.
           (kind.empty() && !attribute(element, "template").empty());
}

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

Result<std::string> output_of(std::vector<std::string> arguments, Clock::time_point deadline) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(system_error("pipe", errno));
    }
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
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

std::vector<std::string> ungated_in(std::string_view resources) {
    std::vector<std::string> ids;
    for (std::size_t at = resources.find('<'); at != std::string_view::npos;
         at = resources.find('<', at + 1)) {
        const std::string_view element =
            resources.substr(at, std::min(resources.find('>', at), resources.size()) - at);
        const bool is_bundle = element.starts_with("<bundle ");
        const bool is_resource =
            element.starts_with("<primitive ") || element.starts_with("<template ");
        if (is_bundle || (is_resource && !is_gated(element))) {
            ids.push_back(attribute(element, "id"));
        }
    }
    return ids;
}

Result<std::vector<std::string>> find_ungated(const std::string& cibadmin,
                                              std::chrono::milliseconds timeout) {
    const Result<std::string> resources =
        output_of({cibadmin, "--query", "--local", "--scope", "resources"}, Clock::now() + timeout);
    if (resources && resources->find("<resources") != std::string::npos) {
        return ungated_in(*resources);
    }
    return fail(Errc::system,
                fmt::format("{} does not show the resources of the cluster ({}), so there may be "
                            "some that outlive the loss of the leases",
                            cibadmin, resources ? "not a CIB" : resources.error().detail));
}

}  // namespace vpnha::stonith
