// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/helper/helper_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vpnha::adapters {

namespace {

std::string end_of(int status) {
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
}

// As process.cpp's rules for a program, with one descriptor more.
class HelperRules {
  public:
    explicit HelperRules(int socket) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, socket, HelperProcess::kSocket);
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDERR_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, HelperProcess::kSocket + 1);
        ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
        sigset_t signals;
        ::posix_spawnattr_init(&attributes_);
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~HelperRules() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }
    HelperRules(const HelperRules&) = delete;
    HelperRules& operator=(const HelperRules&) = delete;

    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

Result<HelperProcess> HelperProcess::start(const std::string& program, UniqueFd socket) {
    const HelperRules rules(socket.get());
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
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    end_ = end_of(status);
    return end_;
}

}  // namespace vpnha::adapters
