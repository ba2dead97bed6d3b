// SPDX-License-Identifier: GPL-2.0-or-later
// Unix sockets: their addresses, vpnhad's listeners, and the peers' credentials.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// For a socket's file. Error invalid_config: no address has that many octets.
[[nodiscard]] Result<sockaddr_un> unix_address(const std::string& path);

// As the kernel saw them at connect(2); a later change of the process does not count.
struct PeerCredentials {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // Supplementary ones.

    [[nodiscard]] bool is_in(gid_t group) const;
};

[[nodiscard]] Result<PeerCredentials> peer_credentials(int fd);

struct UnixListenerOptions {
    std::string path;
    int type = 0;                // SOCK_STREAM or SOCK_SEQPACKET.
    mode_t mode = 0600;          // Of the socket's file, from its first moment on.
    std::optional<gid_t> group;  // Of the file; root's when not given.
};

// A listening socket with its file. The file of a process that died is replaced; if a process still
// answers at it, open() fails with `already_exists`. The listener removes its file at its end.
class UnixListener {
  public:
    [[nodiscard]] static Result<UnixListener> open(const UnixListenerOptions& options);
    ~UnixListener();
    UnixListener(UnixListener&&) noexcept = default;
    UnixListener& operator=(UnixListener&&) = delete;

    // A non-blocking connection, or nothing when nobody waits.
    [[nodiscard]] std::optional<UniqueFd> accept() const;
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    UnixListener(UniqueFd fd, std::string path, ino_t inode);

    UniqueFd fd_;
    std::string path_;
    ino_t inode_ = 0;
};

}  // namespace vpnha::adapters
