// SPDX-License-Identifier: GPL-2.0-or-later
// keep-vpnhad PROGRAM [ARGUMENT...]: starts vpnhad, and restarts it when it dies. The other nodes'
// leases need this node's vote, and Pacemaker restarts nothing before failure-timeout.
//
// It is minimal: no configuration, no socket, no thread, no library except libc and its own. It
// passes to each next vpnhad how the previous one died (--restarts, --death, --votes-only).
//
// PR_SET_PDEATHSIG is not set: a vpnhad whose keeper has died still serves, without a keeper.
//
// Exit codes: 0 vpnhad ended on request, 2 usage, 127 it could not be executed. Other codes are
// vpnhad's own: with 3 a restart is useless.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "keeper.hpp"

namespace {

using namespace vpnha;
using namespace std::chrono_literals;

constexpr int kDied = 1;
constexpr int kNotExecuted = 127;
constexpr int kNiceness = -10;  // As vpnhad: on a busy node it has to run at once.
// For vpnhad after SIGTERM: it shuts gates, and removes addresses.
constexpr Duration kEndPatience = 10s;

TimePoint now() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
}

sigset_t signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int each : {SIGTERM, SIGINT, SIGCHLD}) {
        sigaddset(&set, each);
    }
    return set;
}

// If memory runs out, vpnhad may be killed: its keeper restarts it. Nothing restarts the keeper.
void set_oom_score(const char* score) {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        [[maybe_unused]] const ssize_t written = ::write(file, score, std::strlen(score));
        ::close(file);
    }
}

// The signal that came; 0: none until then. nullopt of `until`: waits for one.
int wait_for_signal(std::optional<TimePoint> until) {
    const sigset_t set = signals();
    for (;;) {
        int number = -1;
        if (until) {
            const Duration left = std::max(*until - now(), Duration{});
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
            const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
            number = ::sigtimedwait(&set, nullptr, &limit);
        } else {
            number = ::sigwaitinfo(&set, nullptr);
        }
        if (number > 0 || errno == EAGAIN) {
            return std::max(number, 0);
        }
    }
}

pid_t start(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        set_oom_score("0");
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execv(arguments[0], arguments.data());
        std::fprintf(stderr, "keep-vpnhad: cannot execute %s: %s\n", arguments[0],
                     std::strerror(errno));
        ::_exit(kNotExecuted);
    }
    return child;
}

std::string death_of(int status) {
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
}

class Vpnhad {
  public:
    explicit Vpnhad(std::vector<std::string> command) : command_(std::move(command)) {}

    // Until a restart is useless; returns the exit code.
    int keep() {
        for (;;) {
            const TimePoint started = now();
            child_ = start(command());
            if (child_ < 0) {
                std::fprintf(stderr, "keep-vpnhad: fork: %s\n", std::strerror(errno));
                return kDied;
            }
            const int status = wait_for_end();
            const bool is_death = WIFSIGNALED(status) || WEXITSTATUS(status) == kDied;
            if (is_notified_ || (!is_death && !is_second_chance_)) {
                return WIFSIGNALED(status) ? kDied : WEXITSTATUS(status);
            }
            if (is_second_chance_) {
                is_second_chance_ = false;
                next_ = keeper_.on_second_chance(now());
            } else {
                death_ = death_of(status);
                next_ = keeper_.on_death(started, now());
            }
            if (next_.pause > Duration{} && !pause(now() + next_.pause)) {
                return 0;
            }
        }
    }

  private:
    [[nodiscard]] std::vector<std::string> command() const {
        std::vector<std::string> command = command_;
        if (keeper_.restarts() > 0) {
            command.insert(command.end(),
                           {"--restarts", std::to_string(keeper_.restarts()), "--death", death_});
        }
        if (next_.votes_only) {
            command.emplace_back("--votes-only");
        }
        return command;
    }

    // Returns the status of waitpid().
    int wait_for_end() {
        std::optional<TimePoint> until = keeper_.second_chance_at();
        for (;;) {
            int status = 0;
            if (::waitpid(child_, &status, WNOHANG) == child_) {
                return status;
            }
            const int number = wait_for_signal(until);
            if (number == SIGCHLD) {
                continue;
            }
            if (number == 0 && (is_notified_ || is_second_chance_)) {
                ::kill(child_, SIGKILL);  // SIGTERM was sent, and the time is over.
                until.reset();
                continue;
            }
            (number == 0 ? is_second_chance_ : is_notified_) = true;
            ::kill(child_, SIGTERM);
            until = now() + kEndPatience;
        }
    }

    // False: an order to end came meanwhile.
    static bool pause(TimePoint until) {
        for (;;) {
            const int number = wait_for_signal(until);
            if (number != SIGCHLD) {
                return number == 0;
            }
        }
    }

    std::vector<std::string> command_;
    keeper::Keeper keeper_;
    keeper::Next next_;
    std::string death_;
    pid_t child_ = -1;
    bool is_notified_ = false;       // To end, without a restart.
    bool is_second_chance_ = false;  // The one that only votes got the order to end.
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argv[1][0] != '/') {
        std::fprintf(stderr, "Usage: keep-vpnhad /PATH/OF/vpnhad [ARGUMENT...]\n");
        return 2;
    }
    const sigset_t set = signals();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::setpriority(PRIO_PROCESS, 0, kNiceness);
    set_oom_score("-1000");
    return Vpnhad({argv + 1, argv + argc}).keep();
}
