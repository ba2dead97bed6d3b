// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/unix_socket.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/os/lock_file.hpp"

namespace vpnha::adapters {

namespace {

constexpr int kBacklog = 128;

int connect_to(int fd, const sockaddr_un& address) {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

// Removes the socket file of a process that died. The caller holds the file's lock: otherwise
// another process may have put the checked file there meanwhile.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address, int type) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return {};
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(Errc::already_exists,
                    fmt::format("{} exists and is no socket; move it away", path));
    }
    const UniqueFd probe(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // A full backlog (EAGAIN) and a socket of another type (EPROTOTYPE) are signs of life too.
    if (connect_to(probe.get(), address) == 0 || errno != ECONNREFUSED) {
        return fail(Errc::already_exists,
                    fmt::format("another process answers at {}; is vpnhad running already?", path));
    }
    if (::unlink(path.c_str()) != 0) {
        return tl::unexpected(system_error(fmt::format("cannot remove stale {}", path), errno));
    }
    return {};
}

}  // namespace

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return fail(Errc::invalid_config,
                    fmt::format("'{}' is no path of a socket; it takes 1 to {} bytes", path,
                                sizeof(address.sun_path) - 1));
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

bool PeerCredentials::is_in(gid_t group) const {
    return gid == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

Result<PeerCredentials> peer_credentials(int fd) {
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return tl::unexpected(system_error("getsockopt SO_PEERCRED", errno));
    }
    PeerCredentials peer{credentials.pid, credentials.uid, credentials.gid, {}};
    // The kernel's limit NGROUPS_MAX; a process seldom has ten.
    peer.groups.resize(65'536);
    length = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &length) != 0) {
        return tl::unexpected(system_error("getsockopt SO_PEERGROUPS", errno));
    }
    peer.groups.resize(length / sizeof(gid_t));
    peer.groups.shrink_to_fit();
    return peer;
}

UnixListener::UnixListener(UniqueFd fd, std::string path, ino_t inode)
    : fd_(std::move(fd)), path_(std::move(path)), inode_(inode) {}

UnixListener::~UnixListener() {
    struct stat status {};
    // A successor may have put its own socket there.
    if (fd_ && ::lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

Result<UnixListener> UnixListener::open(const UnixListenerOptions& options) {
    VPNHA_TRY(const sockaddr_un address, unix_address(options.path));
    VPNHA_TRY(const UniqueFd lock, lock_file(options.path + ".lock", LOCK_EX));
    VPNHA_CHECK(remove_stale(options.path, address, options.type));
    const auto failed = [&](const char* what) {
        return tl::unexpected(system_error(fmt::format("{} {}", what, options.path), errno));
    };
    UniqueFd fd(::socket(AF_UNIX, options.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // bind(2) takes the file's mode from the socket: it is never wider than requested.
    if (!fd || ::fchmod(fd.get(), options.mode) != 0) {
        return failed("cannot create a socket for");
    }
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return failed("cannot create");
    }
    struct stat status {};
    if (::lstat(options.path.c_str(), &status) != 0) {
        return failed("cannot find");
    }
    UnixListener listener(std::move(fd), options.path, status.st_ino);
    if (options.group &&
        ::lchown(options.path.c_str(), static_cast<uid_t>(-1), *options.group) != 0) {
        return failed("cannot change the group of");
    }
    // The umask may have removed requested bits.
    if (::chmod(options.path.c_str(), options.mode) != 0) {
        return failed("cannot change the mode of");
    }
    if (::listen(listener.fd(), kBacklog) != 0) {
        return failed("cannot listen at");
    }
    return listener;
}

std::optional<UniqueFd> UnixListener::accept() const {
    UniqueFd connection(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return connection ? std::optional<UniqueFd>(std::move(connection)) : std::nullopt;
}

}  // namespace vpnha::adapters
