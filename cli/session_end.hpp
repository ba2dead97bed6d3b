// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha session end`: one client is told that its session is over.
#pragma once

#include <functional>
#include <string>

#include "cli/switchover.hpp"

namespace vpnha::cli {

// `ordered` is called with the session's id, or its begin, while the command line is parsed.
void add_session_end(CLI::App& app, const std::function<void(const std::string&)>& ordered);

// Waits until the session is gone.
[[nodiscard]] ExitCode end_session(const std::string& id, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
