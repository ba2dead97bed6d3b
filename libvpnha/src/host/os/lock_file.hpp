// SPDX-License-Identifier: GPL-2.0-or-later
// Locks between processes.
#pragma once

#include <string>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// `operation`: LOCK_EX or LOCK_SH; waits for others, and holds as long as the result lives, also in
// forked children. The file is created if need be, and stays.
[[nodiscard]] Result<UniqueFd> lock_file(const std::string& path, int operation);

// The file `lock` of a directory, which is created if need be.
[[nodiscard]] Result<UniqueFd> lock_directory(const std::string& directory, int operation);

}  // namespace vpnha::adapters
