// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "host/os/state_directory.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::chrono::milliseconds kLockPoll{5};
constexpr const char* kNetwork = "/proc/self/ns/net";

// `path` is for the error; `busy` the error of a lock that another process has.
Result<void> lock_within(const UniqueFd& fd, const std::string& path,
                         std::chrono::milliseconds patience, const std::string& busy) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return tl::unexpected(system_error("locking " + path, errno));
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return fail(Errc::already_exists, busy);
        }
        std::this_thread::sleep_for(kLockPoll);
    }
    return {};
}

}  // namespace

Result<UniqueFd> take_node_lock(const std::string& directory, std::chrono::milliseconds patience) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        return tl::unexpected(system_error("creating " + directory, error.value()));
    }
    struct stat network {};
    if (::stat(kNetwork, &network) != 0) {
        return tl::unexpected(system_error(fmt::format("looking at {}", kNetwork), errno));
    }
    const std::string path = fmt::format("{}/node-{}.lock", directory, network.st_ino);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) {
        return tl::unexpected(system_error("opening " + path, errno));
    }
    VPNHA_CHECK(lock_within(fd, path, patience,
                            fmt::format("another vpnhad runs on this node, perhaps with another "
                                        "state_directory: it has {}; a node has one vpnhad for "
                                        "all of its gateways",
                                        path)));
    return fd;
}

Result<StateLock> StateLock::take(const std::string& directory,
                                  std::chrono::milliseconds patience) {
    VPNHA_TRY(const StateDirectory checked, StateDirectory::open(directory));
    UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        return tl::unexpected(system_error("opening " + directory, errno));
    }
    VPNHA_CHECK(lock_within(
        fd, directory, patience,
        fmt::format("another process of this machine has {}, or hangs in the kernel with it",
                    directory)));
    return StateLock(std::move(fd));
}

}  // namespace vpnha::adapters
