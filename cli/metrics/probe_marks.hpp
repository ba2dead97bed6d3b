// SPDX-License-Identifier: GPL-2.0-or-later
// What ocf:vpnha:probe has found of the services on this node. Pacemaker's attributes have the
// same, and are for who may ask Pacemaker alone.
#pragma once

#include <string>
#include <vector>

#include "host/services/probe_verdicts.hpp"

namespace vpnha::cli {

struct ProbeMark {
    std::string gateway{};
    bool is_dead = false;
};

// Of each gateway that is probed, and of whose service something is known.
[[nodiscard]] std::vector<ProbeMark> read_probe_marks(
    const std::string& directory = adapters::kProbeVerdicts);

}  // namespace vpnha::cli
