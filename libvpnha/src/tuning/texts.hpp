// SPDX-License-Identifier: GPL-2.0-or-later
// The table of tuning as texts for others.
#pragma once

#include <string>

#include "tuning/table.hpp"

namespace vpnha::tuning {

// A file for /etc/sysctl.d.
[[nodiscard]] std::string to_sysctl_file(const Table& table);
// The table of docs/operate/tuning.md.
[[nodiscard]] std::string to_markdown(const Table& table);

}  // namespace vpnha::tuning
