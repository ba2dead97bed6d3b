// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/thread.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <string>
#include <system_error>
#include <utility>

#include "host/os/process.hpp"

namespace vpnha::adapters {

Result<std::thread> start_thread(std::function<void()> work) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    // The thread inherits the mask.
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    Result<std::thread> started;
    try {
        started = std::thread([todo = std::move(work), preferred = runs_in_real_time()] {
            if (preferred) {
                static_cast<void>(prefer_this_process());  // A thread has its own niceness.
            }
            todo();
        });
    } catch (const std::system_error& error) {
        started = fail(Errc::system, std::string("starting a thread: ") + error.what());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

void become_background() {
    ::setpriority(PRIO_PROCESS, 0, 0);  // Of this thread alone.
}

}  // namespace vpnha::adapters
