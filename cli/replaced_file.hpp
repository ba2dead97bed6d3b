// SPDX-License-Identifier: GPL-2.0-or-later
// A file for readers that may come at any time: they see the old one or the new one, whole.
#pragma once

#include <string>
#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Writes a hidden file beside `path`, readable by everybody, and renames it.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view text);

}  // namespace vpnha::cli
