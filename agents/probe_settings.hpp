// SPDX-License-Identifier: GPL-2.0-or-later
// What ocf:vpnha:probe is to ask, of the resource's parameters.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/ocf.hpp"

namespace vpnha::agents {

struct ProbeSettings {
    struct Server {
        std::string protocol;           // As vpnha-probe calls it.
        std::string_view daemon;        // The stock one, by its service's name.
        std::vector<std::string> more;  // Arguments of vpnha-probe.
        // With which it logs in; without them it ends before.
        std::vector<std::string> login{};
    };
    std::vector<Server> servers;
    // Arguments of vpnha-probe for each RADIUS server; with these or without them, something is
    // asked.
    std::vector<std::vector<std::string>> radius;
    std::chrono::seconds timeout{};  // Of each server.
    unsigned failures = 0;
    unsigned login_every = 1;  // Monitors.
    std::chrono::seconds forget{};
};

// For all servers together, of the monitor's 40 s.
inline constexpr std::chrono::seconds kAllProbesMax{25};

// The parameters that name a protocol, in the order in which they are shown.
[[nodiscard]] std::vector<ocf::Parameter> protocol_parameters();

// Error invalid_argument: what is wrong here is wrong on each node.
[[nodiscard]] Result<ProbeSettings> probe_settings(const ocf::Call& call);

}  // namespace vpnha::agents
