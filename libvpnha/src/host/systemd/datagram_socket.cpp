// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/datagram_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace vpnha::adapters {

Result<UniqueFd> connect_datagram(const std::string& name) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (name.empty() || name.size() >= sizeof to.sun_path) {
        return fail(Errc::invalid_argument, "the name of the socket '" + name +
                                                "' has a length "
                                                "that no socket has");
    }
    std::ranges::copy(name, to.sun_path);
    if (name.front() == '@') {
        to.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) {
        return tl::unexpected(system_error("connecting to " + name, errno));
    }
    return fd;
}

}  // namespace vpnha::adapters
