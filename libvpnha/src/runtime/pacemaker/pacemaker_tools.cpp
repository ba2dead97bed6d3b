// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/pacemaker/pacemaker_tools.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace vpnha::runtime {

PacemakerTools::~PacemakerTools() {
    for (const Running& running : running_) {
        loop_.unwatch(running.watch.get());
    }
}

void PacemakerTools::start(std::vector<std::string> arguments, Done done) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    std::array<char, 64> path{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    std::array<char*, 2> environment{path.data(), nullptr};
    int pid = -1;
    const int error = posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environment.data());
    const int watch = error == 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
    if (watch < 0) {
        done(tl::unexpected(system_error("starting " + arguments[0], error != 0 ? error : errno)));
        return;
    }
    running_.push_back({arguments[0], pid, adapters::UniqueFd(watch), std::move(done)});
    const auto place = std::prev(running_.end());
    if (!loop_.watch(watch, [this, place] { finish(place); })) {
        finish(place);
    }
}

void PacemakerTools::finish(Place place) {
    loop_.unwatch(place->watch.get());
    int status = 0;
    const bool waited = waitpid(place->pid, &status, 0) == place->pid;
    const Running ended = std::move(*place);
    running_.erase(place);
    if (waited && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        ended.done({});
    } else {
        ended.done(fail(Errc::system,
                        fmt::format("{} ended with exit code {}", ended.program,
                                    waited && WIFEXITED(status) ? WEXITSTATUS(status) : -1)));
    }
}

}  // namespace vpnha::runtime
