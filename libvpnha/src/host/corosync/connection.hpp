// SPDX-License-Identifier: GPL-2.0-or-later
// Why corosync accepts no connection.
#pragma once

#include <corosync/corotypes.h>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Permission: this user may not connect. Unreachable: anything else.
[[nodiscard]] tl::unexpected<Error> not_connected(cs_error_t error);

}  // namespace vpnha::adapters
