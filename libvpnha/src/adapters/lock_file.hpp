// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "adapters/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Holds the file `lock` of a directory, which is created if need be, for as long as the result
// lives; waits for others. `operation`: LOCK_EX or LOCK_SH.
[[nodiscard]] Result<UniqueFd> lock_directory(const std::string& directory, int operation);

}  // namespace vpnha::adapters
