// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha session show` and `end`: one session, what its gateway's vpnhad here has logged of it, and
// its end.
#pragma once

#include <functional>
#include <string>

#include "cli/switchover.hpp"

namespace vpnha::cli {

struct SessionOrder {
    std::string id;  // Or its begin.
    bool ends = false;
    bool as_json = false;
};

// `ordered` is called while the command line is parsed.
void add_session(CLI::App& app, const std::function<void(const SessionOrder&)>& ordered);

[[nodiscard]] ExitCode show_session(const SessionOrder& order, const SwitchoverPorts& ports);
// Waits until the session is gone.
[[nodiscard]] ExitCode end_session(const std::string& id, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
