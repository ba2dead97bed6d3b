// SPDX-License-Identifier: GPL-2.0-or-later
// Listings of the kernel that hold keys. Each answer is wiped as soon as it was read.
#pragma once

#include <libmnl/libmnl.h>

#include <functional>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Sends `question` over a separate socket, and calls `on_message` with each message of the answer
// until its end. Returns 0, or the errno with which the kernel refused or ended the listing. An
// error is that of the socket; `what` names the listing in it.
[[nodiscard]] Result<int> list_secrets(int bus, const nlmsghdr* question, const std::string& what,
                                       const std::function<void(const nlmsghdr*)>& on_message);

}  // namespace vpnha::adapters
