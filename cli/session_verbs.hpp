// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha session show` and `end`: one session, its traffic, the nodes that have served it, and
// vpnhad's events of it on this node; and its end.
#pragma once

#include <functional>
#include <string>

#include "cli/session/traffic.hpp"
#include "cli/switchover.hpp"

namespace vpnha::cli {

struct SessionOrder {
    std::string id;  // Or its beginning.
    bool ends = false;
    bool as_json = false;
};

// `ordered` is called while the command line is parsed.
void add_session(CLI::App& app, const std::function<void(const SessionOrder&)>& ordered);

// It takes a second: for the rates.
[[nodiscard]] ExitCode show_session(const SessionOrder& order, const SwitchoverPorts& ports,
                                    const session::Read& read = session::read_traffic);
// Waits until the session is gone.
[[nodiscard]] ExitCode end_session(const std::string& id, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
