// SPDX-License-Identifier: GPL-2.0-or-later
// A socket of systemd's that takes datagrams.
#pragma once

#include <string>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// A path, or "@NAME" of the abstract name space. The socket blocks.
[[nodiscard]] Result<UniqueFd> connect_datagram(const std::string& name);

}  // namespace vpnha::adapters
