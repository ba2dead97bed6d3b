// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/os/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <thread>

#include "adapters/os/state_directory.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::chrono::milliseconds kLockPoll{5};

}  // namespace

Result<StateLock> StateLock::take(const std::string& directory,
                                  std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    VPNHA_TRY(const StateDirectory checked, StateDirectory::open(directory));
    UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        return tl::unexpected(system_error("opening " + directory, errno));
    }
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return tl::unexpected(system_error("locking " + directory, errno));
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return fail(Errc::already_exists,
                        fmt::format("another vpnhad of this node has {}, or hangs in the kernel "
                                    "with it",
                                    directory));
        }
        std::this_thread::sleep_for(kLockPoll);
    }
    return StateLock(std::move(fd));
}

}  // namespace vpnha::adapters
