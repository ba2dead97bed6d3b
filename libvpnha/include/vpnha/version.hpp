// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "vpnha/export.hpp"

namespace vpnha {

// Semantic version of the library and the programs, "0.1.0". The wire format has its own.
[[nodiscard]] VPNHA_API std::string_view version();

}  // namespace vpnha
