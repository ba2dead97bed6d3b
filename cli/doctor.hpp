// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha doctor` looks at: the file, this kernel and its modules, the devices, routing, the
// clock, the cluster's links, voters, fencing and constraints, the stock daemons, the way to the
// RADIUS servers, the versions of other programs, what AppArmor has denied, the devices' queues,
// the gateways' bounds, what this machine is busy with, the table of tuning, connection tracking.
// Each finding has what to do. As JSON: an object with the file, the exit code and all findings.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/exit_code.hpp"

namespace vpnha::cli {

[[nodiscard]] ExitCode examine(const std::string& path, bool as_json, std::ostream& out,
                               std::ostream& err);

}  // namespace vpnha::cli
