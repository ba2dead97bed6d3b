// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/helper/helper_process.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "host/os/spawn_rules.hpp"

namespace vpnha::adapters {

namespace {

std::string end_of(int status) {
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<HelperProcess> HelperProcess::start(const std::string& program, UniqueFd socket) {
    const SpawnRules rules("/dev/null", socket.get());
    std::array<char*, 2> arguments{const_cast<char*>(program.c_str()), nullptr};
    std::array<char*, 1> environment{nullptr};
    pid_t child = -1;
    const int error = ::posix_spawn(&child, program.c_str(), rules.actions(), rules.attributes(),
                                    arguments.data(), environment.data());
    if (error != 0) {
        return tl::unexpected(system_error("starting " + program, error));
    }
    return HelperProcess(child);
}

HelperProcess::~HelperProcess() {
    wait(std::chrono::milliseconds(0));
}

std::string HelperProcess::wait(std::chrono::milliseconds patience) {
    if (pid_ < 0) {
        return end_;
    }
    // By number: glibc 2.36 declares its wrapper without C linkage.
    const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd end{ended.get(), POLLIN, 0};
    if (!ended || ::poll(&end, 1, static_cast<int>(patience.count())) != 1) {
        ::kill(pid_, SIGKILL);
    }
    end_ = end_of(wait_for(pid_));
    pid_ = -1;
    return end_;
}

}  // namespace vpnha::adapters
