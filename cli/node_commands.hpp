// SPDX-License-Identifier: GPL-2.0-or-later
// The verbs by which root vouches explicitly for another node.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace vpnha::cli {

struct NodeCommand {
    std::string verb;  // Of the control socket.
    std::string node;  // By name or id.
    std::string done;  // Printed when vpnhad has accepted it.
};

// `parsed` is called while the command line is parsed.
void add_node_commands(CLI::App& app, const std::function<void(const NodeCommand&)>& parsed);

}  // namespace vpnha::cli
