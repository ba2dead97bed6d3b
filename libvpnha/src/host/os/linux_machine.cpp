// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/linux_machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

constexpr auto kLifeLeft = std::chrono::seconds(2);
constexpr const char* kSysRq = "/proc/sysrq-trigger";

Error press_sysrq(int trigger) {
    const int error = ::write(trigger, "b", 1) == 1 ? 0 : errno;
    return system_error(fmt::format("writing b into {}", kSysRq), error);
}

}  // namespace

// A separate thread: this one may hang in the kernel, in reboot(2) itself for instance.
void LinuxMachine::limit_life() {
    std::promise<Error> promise;
    last_word_ = promise.get_future().share();
    UniqueFd trigger(::open(kSysRq, O_WRONLY | O_CLOEXEC));
    if (!trigger) {
        promise.set_value(system_error(fmt::format("opening {}", kSysRq), errno));
        return;
    }
    std::thread([held = std::move(trigger), emitted = std::move(promise)]() mutable {
        std::this_thread::sleep_for(kLifeLeft);
        emitted.set_value(press_sysrq(held.get()));
    }).detach();
}

Error LinuxMachine::reset() {
    if (!last_word_.valid()) {
        limit_life();
    }
    ::reboot(RB_AUTOBOOT);
    const Error refused = system_error("reboot(2)", errno);
    const Error last = last_word_.get();
    return {Errc::system, fmt::format("{}; {}", refused.detail, last.detail)};
}

}  // namespace vpnha::adapters
