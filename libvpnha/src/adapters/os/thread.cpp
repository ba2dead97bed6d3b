// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/os/thread.hpp"

#include <signal.h>

#include <string>
#include <system_error>
#include <utility>

namespace vpnha::adapters {

Result<std::thread> start_thread(std::function<void()> work) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    // The thread inherits the mask.
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    Result<std::thread> started;
    try {
        started = std::thread(std::move(work));
    } catch (const std::system_error& error) {
        started = fail(Errc::system, std::string("starting a thread: ") + error.what());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

}  // namespace vpnha::adapters
