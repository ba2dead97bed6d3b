// SPDX-License-Identifier: GPL-2.0-or-later
// The checks of `vpnha doctor`. They cover the file, the kernel and its modules, devices, routing,
// the clock. Of the cluster: links, voters, fencing, constraints. Of programs: stock daemons, the
// path to the RADIUS servers, versions, AppArmor's denials. Of the load: the devices' queues, the
// gateways' bounds, this machine's load, the table of tuning, connection tracking. Each finding has
// what to do. As JSON: an object with the file, the exit code and all findings.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/exit_code.hpp"

namespace vpnha::cli {

[[nodiscard]] ExitCode examine(const std::string& path, bool as_json, std::ostream& out,
                               std::ostream& err);

}  // namespace vpnha::cli
