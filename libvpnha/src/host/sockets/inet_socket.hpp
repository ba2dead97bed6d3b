// SPDX-License-Identifier: GPL-2.0-or-later
// The common part of a VIP's sockets: they exist before the VIP does.
#pragma once

#include <netinet/in.h>

#include <string_view>

#include "base/ids.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

[[nodiscard]] sockaddr_in to_sockaddr(const Ipv4Endpoint& endpoint);

[[nodiscard]] Result<void> set_option(int socket, int level, int name, int value,
                                      std::string_view what);

// A raw socket of that protocol, which sends from the VIP, and receives packets to it after
// set_receiving(). While it is open the kernel reports the protocol as unknown to nobody.
[[nodiscard]] Result<UniqueFd> open_raw_socket(int protocol, Ipv4Address vip);
[[nodiscard]] Result<void> set_receiving(int raw_socket, bool on);

}  // namespace vpnha::adapters
