// SPDX-License-Identifier: GPL-2.0-or-later
// What ocf:vpnha:probe is to ask, of the resource's parameters.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vpnha/ocf.hpp"

namespace vpnha::agents {

struct ProbeSettings {
    std::vector<std::string> protocols;  // One at least.
    std::string l2tp_port;
    std::chrono::seconds timeout{};  // Of each protocol.
    unsigned failures = 0;
    std::chrono::seconds forget{};
};

// For all protocols together, of the monitor's 40 s.
inline constexpr std::chrono::seconds kAllProbesMax{25};

// Error invalid_argument: what is wrong here is wrong on each node.
[[nodiscard]] Result<ProbeSettings> probe_settings(const ocf::Call& call);

}  // namespace vpnha::agents
