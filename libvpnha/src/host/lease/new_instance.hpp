// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "cluster/lease/messages.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// A number for this life of the program that no other has: random, and small enough for a datagram
// of the lease.
[[nodiscard]] Result<lease::Instance> new_instance();

}  // namespace vpnha::adapters
