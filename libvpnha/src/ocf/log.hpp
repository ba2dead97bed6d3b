// SPDX-License-Identifier: GPL-2.0-or-later
// Logging as the shell agents' ocf_log does it: to the terminal if there is one, else to the syslog
// facility and the files that Pacemaker names in the environment.
#pragma once

#include "vpnha/ocf.hpp"

namespace vpnha::ocf {

// `tag` is "agent(instance)".
void write_log(const Call::Environment& environment, const std::string& tag, Level level,
               std::string_view text);

}  // namespace vpnha::ocf
