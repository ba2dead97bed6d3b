// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha drill`: deliberate failures on one's own cluster, and their effects on clients.
#pragma once

#include <functional>

#include "cli/switchover.hpp"

namespace CLI {
class App;
}

namespace vpnha::cli::drill {

using Verb = std::function<ExitCode(const SwitchoverPorts&)>;

// `ordered` is called while the command line is parsed.
void add_drill(CLI::App& app, const std::function<void(Verb)>& ordered);

}  // namespace vpnha::cli::drill
