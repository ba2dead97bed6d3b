// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "config/keys.hpp"

namespace vpnha::config {

// Those of [radius].
[[nodiscard]] std::vector<Key> radius_keys();

}  // namespace vpnha::config
