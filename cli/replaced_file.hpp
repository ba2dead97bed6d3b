// SPDX-License-Identifier: GPL-2.0-or-later
// A file for readers at any time: they get the whole old file or the whole new one.
#pragma once

#include <string>
#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Writes a hidden file beside `path`, readable by everybody, and renames it.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view text);

}  // namespace vpnha::cli
