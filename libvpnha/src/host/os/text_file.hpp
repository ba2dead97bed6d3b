// SPDX-License-Identifier: GPL-2.0-or-later
// Small files as a whole: from /proc, and a service's own state in /run.
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Empty when there is no such file.
[[nodiscard]] std::string read_text(const std::string& path);
// The last line of it that is not empty; empty when there is none.
[[nodiscard]] std::string last_line(const std::string& path);
// In place: a reader may see half of it. Error: the system's, with the path.
Result<void> write_text(const std::string& path, const std::string& text);
// The same by `path`.new, which is renamed: a reader sees the old text or the new one, whole.
[[nodiscard]] Result<void> replace_text(const std::string& path, const std::string& text);

}  // namespace vpnha::adapters
