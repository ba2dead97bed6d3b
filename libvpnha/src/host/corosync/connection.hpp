// SPDX-License-Identifier: GPL-2.0-or-later
// Why corosync takes no connection.
#pragma once

#include <corosync/corotypes.h>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Permission: it is not for this user. Unreachable: anything else.
[[nodiscard]] tl::unexpected<Error> not_connected(cs_error_t error);

}  // namespace vpnha::adapters
