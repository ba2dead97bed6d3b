// SPDX-License-Identifier: GPL-2.0-or-later
// Announces addresses for as long as they are on an interface: what outlives the agent's call. It
// knows the kernel's state only: an address that is taken away by anybody is announced no more, and
// with the last one the announcer ends.
#pragma once

#include <string>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The first burst is the starter's, who must not wait for a process. Returns when none of the
// addresses is on the interface any more.
Result<void> keep_announcing(const std::string& interface, const std::vector<IpPrefix>& addresses);

}  // namespace vpnha::adapters
