// SPDX-License-Identifier: GPL-2.0-or-later
// Announces addresses for as long as they are on an interface: the part that outlives the agent's
// call. It uses the kernel's state only: an address that anybody removes is not announced any more,
// and with the last one the announcer ends.
#pragma once

#include <string>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The caller sends the first burst, because it must not wait for a process. Returns when none of
// the addresses is on the interface any more.
Result<void> keep_announcing(const std::string& interface, const std::vector<IpPrefix>& addresses);

}  // namespace vpnha::adapters
