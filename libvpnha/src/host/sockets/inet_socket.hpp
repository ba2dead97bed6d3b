// SPDX-License-Identifier: GPL-2.0-or-later
// What the sockets of a VIP have in common: they are there before the VIP is.
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

// A raw socket of that protocol, which sends from the VIP, and hears what comes to it once hear()
// was called. As long as it is open the kernel answers nobody that it does not know the protocol.
[[nodiscard]] Result<UniqueFd> open_raw_socket(int protocol, Ipv4Address vip);
[[nodiscard]] Result<void> hear(int raw_socket, bool on);

}  // namespace vpnha::adapters
