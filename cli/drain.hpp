// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha drain` and `undrain`: stops a gateway, or all that this node serves, from accepting new
// clients, and waits until there are none.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "cli/switchover.hpp"

namespace vpnha::cli {

struct DrainOrder {
    std::string target;                                 // A gateway's name, or this node's.
    std::optional<std::chrono::milliseconds> deadline;  // From now on.
    bool move = false;                                  // Moves what is left to another node.
    bool end = false;                                   // Ends what is left with the clients.
    bool no_wait = false;
};

// `ordered` and `ended` (with the gateway's name) are called while the command line is parsed.
void add_drain(CLI::App& app, const std::function<void(const DrainOrder&)>& ordered,
               const std::function<void(const std::string&)>& ended);

// Interrupted, it leaves the gateways drained.
[[nodiscard]] ExitCode drain(const DrainOrder& order, const SwitchoverPorts& ports);
[[nodiscard]] ExitCode undrain(const std::string& gateway, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
