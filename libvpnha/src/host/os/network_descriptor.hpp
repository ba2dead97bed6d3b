// SPDX-License-Identifier: GPL-2.0-or-later
// Every descriptor that belongs to a network namespace is opened here: today in the host's own. A
// gateway in a namespace of its own would be a change of this file. Unix sockets are files, and are
// opened elsewhere.
#pragma once

#include <libmnl/libmnl.h>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

// As socket(2), closed on exec; without a descriptor errno says why.
[[nodiscard]] UniqueFd open_network_socket(int family, int type, int protocol = 0);
// The same for netlink; nullptr: errno says why. The caller owns it.
[[nodiscard]] mnl_socket* open_netlink(int bus, int flags = 0);

}  // namespace vpnha::adapters
