// SPDX-License-Identifier: GPL-2.0-or-later
// The table of tuning as others read it.
#pragma once

#include <string>

namespace vpnha::tuning {

// A file for /etc/sysctl.d.
[[nodiscard]] std::string to_sysctl_file();
// The table of docs/operate/tuning.md.
[[nodiscard]] std::string to_markdown();

}  // namespace vpnha::tuning
