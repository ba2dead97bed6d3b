// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pacemaker/pacemaker_tools.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <thread>
#include <utility>

#include "host/os/process.hpp"
#include "host/os/thread.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::runtime {

namespace {

// Its exit code; signals are blocked in the calling thread, and not in the program.
Result<int> run_to_end(const std::vector<std::string>& arguments,
                       std::vector<std::string> environment) {
    environment.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    const std::vector<char*> argv = adapters::pointers_to(arguments);
    const std::vector<char*> env = adapters::pointers_to(environment);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv[0], nullptr, &attributes, argv.data(), env.data());
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return tl::unexpected(system_error("starting " + arguments[0], error));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) != child) {
        if (errno != EINTR) {
            return tl::unexpected(system_error("waiting for " + arguments[0], errno));
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

struct PacemakerTools::Job {
    adapters::UniqueFd ended;  // An eventfd, readable when the thread has the result.
    std::string program;
    Result<int> code = 0;
    std::thread thread;
};

PacemakerTools::~PacemakerTools() {
    for (const Running& running : running_) {
        loop_.unwatch(running.job->ended.get());
        if (running.job->thread.joinable()) {
            running.job->thread.detach();
        }
    }
}

void PacemakerTools::start(std::vector<std::string> arguments, Done done,
                           std::vector<std::string> environment) {
    auto job = std::make_shared<Job>();
    job->program = arguments[0];
    job->ended.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const int watch = job->ended.get();
    running_.push_back({job, std::move(done)});
    const auto place = std::prev(running_.end());
    const Result<void> watched = job->ended
                                     ? loop_.watch(watch, [this, place] { finish(place); })
                                     : Result<void>(tl::unexpected(system_error("eventfd", errno)));
    if (!watched) {
        const Running failed = std::move(*place);
        running_.erase(place);
        failed.done(watched);
        return;
    }
    // The program inherits the thread's niceness: Pacemaker waits for it in a takeover.
    Result<std::thread> started = adapters::start_thread(
        [job, program = std::move(arguments), around = std::move(environment)] {
            job->code = run_to_end(program, around);
            ::eventfd_write(job->ended.get(), 1);
        });
    if (started) {
        job->thread = std::move(*started);
    } else {
        job->code = tl::unexpected(started.error());
        ::eventfd_write(watch, 1);
    }
}

void PacemakerTools::finish(Place place) {
    const Running ended = std::move(*place);
    running_.erase(place);
    loop_.unwatch(ended.job->ended.get());
    if (ended.job->thread.joinable()) {
        ended.job->thread.join();  // It has written the result last.
    }
    const Result<int>& code = ended.job->code;
    if (!code) {
        ended.done(tl::unexpected(code.error()));
    } else if (*code != 0) {
        ended.done(fail(Errc::system,
                        fmt::format("{} ended with exit code {}", ended.job->program, *code)));
    } else {
        ended.done({});
    }
}

}  // namespace vpnha::runtime
