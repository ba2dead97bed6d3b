// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha config check` looks at: the file, this kernel, the devices, the clock, the cluster's
// links, the way to the RADIUS servers, the versions of other programs, the table of tuning,
// connection tracking.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/exit_code.hpp"

namespace vpnha::cli {

[[nodiscard]] ExitCode check_config(const std::string& path, std::ostream& out, std::ostream& err);

}  // namespace vpnha::cli
