// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/network_descriptor.hpp"

#include <sys/socket.h>

namespace vpnha::adapters {

UniqueFd open_network_socket(int family, int type, int protocol) {
    return UniqueFd(socket(family, type | SOCK_CLOEXEC, protocol));
}

mnl_socket* open_netlink(int bus, int flags) {
    return mnl_socket_open2(bus, flags | SOCK_CLOEXEC);
}

}  // namespace vpnha::adapters
