// SPDX-License-Identifier: GPL-2.0-or-later
// A drill as one static HTML file, drawn as the demo's report is: the results of the watches and
// the events of the nodes on one axis. It loads nothing from other places.
#pragma once

#include <string>

#include "cli/drill/record.hpp"

namespace vpnha::cli::drill {

[[nodiscard]] std::string page_of(const Record& record);
// The drawing alone.
[[nodiscard]] std::string timeline_of(const Record& record);

}  // namespace vpnha::cli::drill
